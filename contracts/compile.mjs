// Compiles the contracts with the pinned compiler. With --check nothing is written, and the exit code is 1
// unless what is committed is what the sources give.
//
// Libraries are linked here: the factory that every chain has at the same address puts them where their own bytes say
// (CREATE2, salt 0), so that a collection has one bytecode on all chains and nobody needs to be told where they are.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";
import linker from "solc/linker.js";
import { getContractAddress, zeroHash } from "viem";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);
const ABI = join(ROOT, "minting", "abi");
const INPUT = join(HERE, "contracts.input.json");
const FACTORY = "0x4e59b44847b379578588920cA78FbF26c0B4956C";
// What the site deploys, by source. Libraries that are linked are found by themselves.
const DEPLOYED = {
  "contracts/src/LivingCollection.sol": "LivingCollection",
  "contracts/src/LivingVotesCollection.sol": "LivingVotesCollection",
  "contracts/src/onchain/Painter.sol": "Painter",
  "contracts/src/onchain/PaintedCollection.sol": "PaintedCollection",
  "contracts/src/evolution/EvolvingCollection.sol": "EvolvingCollection",
  "contracts/src/evolution/Evolution.sol": "Evolution",
  "contracts/src/accounts/TokenAccount.sol": "TokenAccount",
  "contracts/src/staking/Staking.sol": "Staking",
  "contracts/src/governance/HoldersGovernor.sol": "HoldersGovernor",
  "contracts/src/governance/ParameterBounds.sol": "ParameterBounds",
  "contracts/src/governance/Founding.sol": "Founding",
  "@openzeppelin/contracts/governance/TimelockController.sol": "TimelockController",
};
const IMPORT = /^\s*import\s+(?:[^"';]+\s+from\s+)?["']([^"']+)["']/gm;

function locate(unit) {
  return unit.startsWith("@") ? join(ROOT, "node_modules", unit) : join(ROOT, unit);
}

function collect(unit, sources) {
  if (unit in sources) return sources;
  const content = readFileSync(locate(unit), "utf8");
  sources[unit] = { content };
  for (const [, target] of content.matchAll(IMPORT)) {
    collect(target.startsWith(".") ? posix.join(posix.dirname(unit), target) : target, sources);
  }
  return sources;
}

function standardInput() {
  const found = {};
  for (const unit of Object.keys(DEPLOYED)) collect(unit, found);
  const sources = Object.fromEntries(Object.keys(found).sort().map((unit) => [unit, found[unit]]));
  return {
    language: "Solidity",
    sources,
    settings: {
      evmVersion: "cancun",
      optimizer: { enabled: true, runs: 1000 },
      outputSelection: { "*": { "*": ["abi", "evm.bytecode", "evm.deployedBytecode.object"] } },
    },
  };
}

function compile(input) {
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const messages = (output.errors ?? []).filter(({ sourceLocation }) => !sourceLocation?.file.startsWith("@"));
  for (const message of messages) process.stderr.write(message.formattedMessage);
  if (messages.length) process.exit(1);
  return output.contracts;
}

/** Source and name of each library whose address a contract has to be told. */
function needed({ evm }) {
  return Object.entries(evm.bytecode.linkReferences).flatMap(([unit, names]) => Object.keys(names).map((name) => [unit, name]));
}

function factoryAddress(bytecode) {
  return getContractAddress({ bytecode, from: FACTORY, opcode: "CREATE2", salt: zeroHash });
}

function artefacts(input) {
  const compiled = compile(JSON.parse(input));
  const written = {};
  function build(unit, name) {
    const { abi, evm } = compiled[unit][name];
    const places = needed(compiled[unit][name]).map(([from, library]) => {
      written[library] ??= build(from, library);
      return [`${from}:${library}`, factoryAddress(written[library].bytecode)];
    });
    const addresses = Object.fromEntries(places.map(([full, address]) => [full, address.toLowerCase()]));
    return {
      contract: name,
      compiler: solc.version(),
      input_sha256: createHash("sha256").update(input).digest("hex"),
      libraries: Object.fromEntries(places.map(([full, address]) => [full.split(":")[1], address])),
      abi,
      bytecode: `0x${linker.linkBytecode(evm.bytecode.object, addresses)}`,
      deployed_bytecode: `0x${linker.linkBytecode(evm.deployedBytecode.object, addresses)}`,
    };
  }
  for (const [unit, name] of Object.entries(DEPLOYED)) written[name] = build(unit, name);
  return written;
}

const input = JSON.stringify(standardInput(), null, 1) + "\n";
const written = artefacts(input);
const files = { [INPUT]: input };
for (const [name, artefact] of Object.entries(written)) {
  files[join(ABI, `${name}.json`)] = JSON.stringify(artefact, null, 1) + "\n";
}

const isCheck = process.argv.includes("--check");
for (const [path, content] of Object.entries(files)) {
  if (!isCheck) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  } else if (!existsSync(path) || readFileSync(path, "utf8") !== content) {
    process.stderr.write(`${path} is not what the sources compile to: run node contracts/compile.mjs\n`);
    process.exitCode = 1;
  }
}
for (const file of existsSync(ABI) ? readdirSync(ABI) : []) {
  if (join(ABI, file) in files) continue;
  process.stderr.write(`${join(ABI, file)} belongs to no contract: delete it\n`);
  process.exitCode = 1;
}
