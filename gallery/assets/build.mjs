// Bundles the pages' scripts into gallery/static/morphora. `--check` fails when the committed files differ.
import { build } from "esbuild";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const committed = join(here, "..", "static", "morphora", "js");
const check = process.argv.includes("--check");
const outdir = check ? mkdtempSync(join(tmpdir(), "morphora-js-")) : committed;

if (!check) rmSync(committed, { recursive: true, force: true });
await build({
  entryPoints: { app: join(here, "app.js"), uplot: "uplot/dist/uPlot.min.css" },
  outdir,
  absWorkingDir: here,
  bundle: true,
  alias: { "three/examples/jsm/libs/meshopt_decoder.module.js": join(here, "no-decoder.js") },
  splitting: true,
  format: "esm",
  minify: true,
  target: "es2022",
  chunkNames: "[name]-[hash]",
  legalComments: "external",
  logLevel: "warning",
});

if (check) {
  const names = readdirSync(outdir).sort();
  const same =
    names.join() === readdirSync(committed).sort().join() &&
    names.every((name) => readFileSync(join(outdir, name)).equals(readFileSync(join(committed, name))));
  rmSync(outdir, { recursive: true, force: true });
  if (!same) {
    console.error("gallery/static/morphora/js is not what gallery/assets builds: run `npm run assets`");
    process.exit(1);
  }
}
