#!/usr/bin/env node
// The pinned compiler in the shape of a native one, for tools that start a program: answers --version and
// --standard-json. Paths (--base-path, --allow-paths, ...) are ignored: such tools send every source along.
import { readFileSync } from "node:fs";
import solc from "solc";

const options = process.argv.slice(2);
if (options.includes("--version")) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (options.includes("--standard-json")) {
  process.stdout.write(solc.compile(readFileSync(0, "utf8")));
} else {
  process.stderr.write("solc.mjs: only --version and --standard-json\n");
  process.exitCode = 1;
}
