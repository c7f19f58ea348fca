// Compiles the contracts with the pinned compiler. With --check nothing is written, and the exit code is 1
// unless what is committed is what the sources give.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);
const NAME = "MorphoraCollection";
const ENTRY = `contracts/src/${NAME}.sol`;
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
  const found = collect(ENTRY, {});
  const sources = Object.fromEntries(Object.keys(found).sort().map((unit) => [unit, found[unit]]));
  return {
    language: "Solidity",
    sources,
    settings: {
      evmVersion: "cancun",
      optimizer: { enabled: true, runs: 1000 },
      outputSelection: { [ENTRY]: { [NAME]: ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
    },
  };
}

function compile(input) {
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const messages = output.errors ?? [];
  for (const message of messages) process.stderr.write(message.formattedMessage);
  if (messages.length) process.exit(1);
  return output.contracts[ENTRY][NAME];
}

const input = JSON.stringify(standardInput(), null, 1) + "\n";
const { abi, evm } = compile(JSON.parse(input));
const artefact = {
  contract: NAME,
  compiler: solc.version(),
  input_sha256: createHash("sha256").update(input).digest("hex"),
  abi,
  bytecode: `0x${evm.bytecode.object}`,
  deployed_bytecode: `0x${evm.deployedBytecode.object}`,
};
const files = {
  [join(HERE, `${NAME}.input.json`)]: input,
  [join(ROOT, "minting", "abi", `${NAME}.json`)]: JSON.stringify(artefact, null, 1) + "\n",
};

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
