// Tests of the contracts: node contracts/forge.mjs COMMAND. Everything runs here, nothing is fetched.
//   test ...          unit tests, fuzz tests, invariants; what follows goes to forge
//   deep ...          the same with many more runs
//   format [--check]  lay the sources out; with --check only say where they are not
//   gas [--check]     write gas.json; with --check only compare it with what is measured
//   halmos ...        proofs for every input (make test-deep installs it)
//   slither ...       static analysis (make test-deep installs it)
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);
const SNAPSHOTS = join(ROOT, "var", "forge", "gas");
const GAS = join(HERE, "gas.json");
// A test holds the code of all that it creates, and is itself a contract, with the same limit by default.
const ROOMY = ["--code-size-limit", String(1 << 18)];
const SYSTEMS = { darwin: "darwin", linux: "linux", win32: "win32" };
const PROCESSORS = { arm64: "arm64", x64: "amd64" };

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** The folder of forge for this platform; the package's own launcher would start a second node. */
function forgeFolder() {
  const name = `forge-${SYSTEMS[process.platform]}-${PROCESSORS[process.arch]}`;
  const folder = join(ROOT, "node_modules", "@foundry-rs", name, "bin");
  if (!existsSync(folder)) fail(`No forge in ${folder}: npm ci installs it.`);
  return folder;
}

/** Run a program in the root, where foundry.toml is, with forge on its path. */
function run(program, words, environment = {}) {
  const path = `${forgeFolder()}${delimiter}${process.env.PATH}`;
  const env = { ...process.env, FOUNDRY_DISABLE_NIGHTLY_WARNING: "1", ...environment, PATH: path };
  const done = spawnSync(program, words, { cwd: ROOT, env, stdio: "inherit" });
  if (done.error) fail(`${program} did not start: ${done.error.message}`);
  return done.status ?? 1;
}

/**
 * Run one of the deep tools. They ask the compiler for more than forge does, so each has a build of its own: a new one,
 * as halmos would go on proving a contract whose file is gone.
 */
function deepTool(name, words) {
  const program = join(ROOT, ".venv-contracts", "bin", name);
  if (!existsSync(program)) fail(`No ${name} in ${program}: make test-deep installs it.`);
  rmSync(join(ROOT, "var", name), { recursive: true, force: true });
  return run(program, words, { FOUNDRY_OUT: `var/${name}/out`, FOUNDRY_CACHE_PATH: `var/${name}/cache` });
}

const forge = (words, environment) => run(join(forgeFolder(), "forge"), words, environment);

function measuredGas() {
  rmSync(SNAPSHOTS, { recursive: true, force: true });
  // --isolate: each call is a transaction, with its 21,000 and with storage that is cold.
  const status = forge(["test", ...ROOMY, "--isolate", "--quiet", "--match-contract", "Gas"]);
  if (status !== 0 || !existsSync(SNAPSHOTS)) fail("Gas was not measured.");
  const groups = readdirSync(SNAPSHOTS).sort();
  const numbers = (_, value) => (typeof value === "string" ? Number(value) : value);
  return Object.fromEntries(
    groups.map((file) => [file.replace(/\.json$/, ""), JSON.parse(readFileSync(join(SNAPSHOTS, file)), numbers)]),
  );
}

function differences(noted, measured) {
  const lines = [];
  for (const contract of new Set([...Object.keys(noted), ...Object.keys(measured)])) {
    const [before, now] = [noted[contract] ?? {}, measured[contract] ?? {}];
    for (const operation of new Set([...Object.keys(before), ...Object.keys(now)])) {
      if (before[operation] === now[operation]) continue;
      lines.push(`  ${contract}, ${operation}: ${before[operation] ?? "nothing"} noted, ${now[operation] ?? "nothing"} measured`);
    }
  }
  return lines;
}

function gas(words) {
  const measured = measuredGas();
  if (!words.includes("--check")) {
    writeFileSync(GAS, JSON.stringify(measured, null, 1) + "\n");
    return 0;
  }
  const found = differences(existsSync(GAS) ? JSON.parse(readFileSync(GAS)) : {}, measured);
  if (found.length) {
    fail(`contracts/gas.json is not what is measured:\n${found.join("\n")}\nIf that is meant: node contracts/forge.mjs gas`);
  }
  return 0;
}

// The prefix of proofs is check_, which forge does not run. Loops: above the highest count of works in a proof, so that
// no path is cut short.
const HALMOS = ["--forge-build-out", "var/halmos/out", "--match-contract", "Symbolic", "--loop", "8", "--no-status"];

// No detector and no line is excluded. Not looked at: OpenZeppelin, which others audit, and the tests. Findings below
// medium are shown and do not fail.
const SLITHER = [".", "--foundry-out-directory", "var/slither/out", "--filter-paths", "node_modules|contracts/test", "--fail-medium"];

const test = (words, environment) => forge(["test", ...ROOMY, "--no-match-contract", "Gas", ...words], environment);
const COMMANDS = {
  test,
  deep: (words) => test(words, { FOUNDRY_PROFILE: "deep" }),
  format: (words) => forge(["fmt", "contracts", ...words]),
  gas,
  halmos: (words) => deepTool("halmos", [...HALMOS, ...words]),
  slither: (words) => deepTool("slither", [...SLITHER, ...words]),
};

const [command, ...words] = process.argv.slice(2);
if (!Object.hasOwn(COMMANDS, command ?? "")) fail(`Say one of ${Object.keys(COMMANDS).join(", ")}.`);
process.exitCode = COMMANDS[command](words);
