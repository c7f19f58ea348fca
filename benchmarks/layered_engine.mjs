// Layered art in the way of the HashLips engine: for each picture the layers are read, decoded, drawn
// on a canvas, encoded as PNG, and described in JSON.
//
//   node benchmarks/layered_engine.mjs layers FOLDER   draw 8 attributes x 8 values at 512 px
//   node benchmarks/layered_engine.mjs run FOLDER N    compose N pictures of them
//
// The canvas comes from CANVAS, the path of an installed @napi-rs/canvas.

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const { createCanvas, loadImage } = createRequire(import.meta.url)(process.env.CANVAS)
const SIDE = 512
const ATTRIBUTES = ['ground', 'body', 'coat', 'face', 'eyes', 'mouth', 'hair', 'badge']
const VALUES = 8

const [verb, folder, count] = process.argv.slice(2)
if (verb === 'layers') drawLayers(folder)
else console.log(JSON.stringify(await run(folder, Number(count))))

function drawLayers(out) {
  ATTRIBUTES.forEach((name, depth) => {
    const directory = join(out, 'layers', `${depth}-${name}`)
    mkdirSync(directory, { recursive: true })
    for (let value = 0; value < VALUES; value++) {
      writeFileSync(join(directory, `${name}${value}.png`), layer(depth, value))
    }
  })
}

// The lowest layer fills the canvas; each above it is a smaller shape on transparency with soft edges.
function layer(depth, value) {
  const canvas = createCanvas(SIDE, SIDE)
  const context = canvas.getContext('2d')
  context.fillStyle = `hsl(${(value * 45 + depth * 17) % 360} 65% ${75 - depth * 6}%)`
  if (depth === 0) context.fillRect(0, 0, SIDE, SIDE)
  const radius = 220 - 24 * depth
  context.globalAlpha = 0.9
  context.beginPath()
  if (value % 2) context.ellipse(256, 256 + 8 * depth, radius, radius * 0.8, value, 0, 2 * Math.PI)
  else context.roundRect(256 - radius, 256 - radius * 0.7, 2 * radius, 1.4 * radius, 10 * value)
  context.fill()
  context.lineWidth = 4
  context.stroke()
  return canvas.toBuffer('image/png')
}

async function run(out, n) {
  const layers = readdirSync(join(out, 'layers')).sort().map((name) => ({
    name: name.slice(2),
    files: readdirSync(join(out, 'layers', name)).sort().map((file) => join(out, 'layers', name, file)),
  }))
  mkdirSync(join(out, 'engine'), { recursive: true })
  const from = process.cpuUsage()
  const started = performance.now()
  for (let edition = 0; edition < n; edition++) await picture(out, layers, edition)
  const { user, system } = process.cpuUsage(from)
  return { wall_s: (performance.now() - started) / 1e3, cpu_s: (user + system) / 1e6 }
}

// One picture; its values are the bytes of a hash of its number.
async function picture(out, layers, edition) {
  const drawn = createHash('sha256').update(String(edition)).digest()
  const chosen = layers.map((layer, place) => layer.files[drawn[place] % layer.files.length])
  const images = await Promise.all(chosen.map((file) => loadImage(file)))
  const canvas = createCanvas(SIDE, SIDE)
  const context = canvas.getContext('2d')
  for (const image of images) context.drawImage(image, 0, 0, SIDE, SIDE)
  const png = canvas.toBuffer('image/png')
  const attributes = layers.map((layer, place) => ({
    trait_type: layer.name,
    value: chosen[place].slice(-5, -4),
  }))
  const about = { name: `#${edition}`, image: `${edition}.png`, edition, attributes }
  writeFileSync(join(out, 'engine', `${edition}.png`), png)
  writeFileSync(join(out, 'engine', `${edition}.json`), JSON.stringify(about))
}
