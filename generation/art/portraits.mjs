// Draws the demo's layered portraits with their true attributes.
//
//   node generation/art/portraits.mjs --out var/art/portraits --count 10000 --size 64 --seed 1
//
// Writes images/NNNNN.png, attributes.csv and dataset.json (source, licence, the published grouping).
// Item i depends on the seed and i only, so a longer run extends a shorter one.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { createAvatar } from "@dicebear/core";
import { openPeeps } from "@dicebear/collection";
import { Resvg } from "@resvg/resvg-js";

const RECIPE = JSON.parse(readFileSync(join(dirname(fileURLToPath(import.meta.url)), "portraits.json"), "utf8"));

/** Uniform numbers in [0, 1): sha256(seed, item, k), so that no item depends on another. */
function uniforms(seed, item) {
  let k = 0;
  return () => createHash("sha256").update(`${seed}/${item}/${k++}`).digest().readUIntBE(0, 6) / 2 ** 48;
}

function pick(entries, next) {
  const total = entries.reduce((sum, [, spec]) => sum + (spec.weight ?? 1), 0);
  let u = next() * total;
  for (const [name, spec] of entries) if ((u -= spec.weight ?? 1) < 0) return [name, spec];
  return entries.at(-1);
}

function draw(item, seed) {
  const next = uniforms(seed, item);
  const labels = {};
  const chosen = {};
  for (const [attribute, { kind, values }] of Object.entries(RECIPE.attributes)) {
    const [name, spec] = pick(Object.entries(values), next);
    const u = next();
    labels[attribute] = name;
    chosen[attribute] = kind === "colour" ? spec : spec.designs[Math.floor(u * spec.designs.length)];
  }
  const hair = RECIPE.hair_colours[Math.floor(next() * RECIPE.hair_colours.length)];
  const svg = createAvatar(openPeeps, {
    seed: String(item),
    ...RECIPE.framing,
    backgroundColor: [chosen.background],
    skinColor: [chosen.skin],
    clothingColor: [chosen.clothing],
    head: [chosen.head],
    headContrastColor: [hair],
    face: [chosen.expression],
    facialHair: chosen.facial_hair ? [chosen.facial_hair] : [],
    facialHairProbability: chosen.facial_hair ? 100 : 0,
    accessories: chosen.accessory ? [chosen.accessory] : [],
    accessoriesProbability: chosen.accessory ? 100 : 0,
    maskProbability: 0,
  }).toString();
  return { labels, svg };
}

function main() {
  const { values: args } = parseArgs({
    options: {
      out: { type: "string" },
      count: { type: "string", default: "10000" },
      size: { type: "string", default: "64" },
      seed: { type: "string", default: "1" },
    },
  });
  const count = Number(args.count);
  const size = Number(args.size);
  if (!args.out || !Number.isInteger(count) || count < 1 || !Number.isInteger(size) || size < 8 || size > 2048) {
    console.error("usage: portraits.mjs --out FOLDER [--count 1..] [--size 8..2048] [--seed TEXT]");
    process.exit(2);
  }
  const images = join(args.out, "images");
  mkdirSync(images, { recursive: true });
  const names = Object.keys(RECIPE.attributes);
  const rows = [["file", ...names].join(",")];
  for (let item = 0; item < count; item++) {
    const { labels, svg } = draw(item, args.seed);
    const file = `${String(item).padStart(5, "0")}.png`;
    writeFileSync(join(images, file), new Resvg(svg, { fitTo: { mode: "width", value: size } }).render().asPng());
    rows.push([`images/${file}`, ...names.map((name) => labels[name])].join(","));
    if ((item + 1) % 1000 === 0 || item + 1 === count) console.log(`${item + 1} of ${count} portraits`);
  }
  writeFileSync(join(args.out, "attributes.csv"), rows.join("\n") + "\n");
  const { name, licence, source, attributes } = RECIPE;
  const schema = Object.fromEntries(names.map((key) => [key, Object.keys(attributes[key].values)]));
  writeFileSync(
    join(args.out, "dataset.json"),
    JSON.stringify({ name, licence, source, image_px: size, seed: args.seed, attributes: schema }, null, 2) + "\n",
  );
}

main();
