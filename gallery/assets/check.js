// Follows one work from its bytes to the chain. Nothing the site says is believed: its hints only say where to
// look. Loaded on demand, because it needs the hashes and the ABI coder of viem.
import {
  concat,
  createPublicClient,
  decodeEventLog,
  decodeFunctionResult,
  encodeAbiParameters,
  encodeFunctionData,
  hexToBytes,
  http,
  keccak256,
  parseAbi,
  sha256,
  toEventSelector,
  toHex,
} from "viem";

const DROP =
  "(bytes32 metadataRoot, bytes32 imageRoot, bytes32 folder, bytes32 provenance, bytes32 checkpointHash, bytes32 codeHash, " +
  "bytes32 paramsHash, bytes32 parentParamsHash, bytes32 voteTallyRoot, bytes32 curationLogRoot, bytes32 seedCommit, " +
  "uint256 revealBlock, uint256 firstTokenId, uint256 count)";
const ABI = parseAbi([
  `event DropCommitted(uint256 indexed dropNumber, bytes32 indexed head, ${DROP} drop)`,
  "event BlockCaptured(uint256 indexed dropNumber, uint256 blockNumber, bytes32 blockHash)",
  "event DropRevealed(uint256 indexed dropNumber, bytes32 dropSeed, bytes32 secret)",
  "event DropSealed(uint256 indexed dropNumber, (bytes32 metadataRoot, bytes32 imageRoot, bytes32 folder, bytes32 provenance) roots)",
  "function head() view returns (bytes32)",
  "function tokenURI(uint256 tokenId) view returns (string)",
]);
const EVENT = ABI[0];
const EVENTS = ABI.filter(({ type }) => type === "event");
const ZERO = `0x${"0".repeat(64)}`;
const HINTED = 200; // blocks asked for one by one where a node refuses a long range
const CHUNK_BYTES = 1024 * 1024; // of a file on IPFS; a longer one has no CID of its bytes alone
const RAW = "0x01551220"; // before the sha256 of a file, in its CID
const FOLDER = "0x01701220"; // the same of a folder
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const TIMEOUT_MS = 15000;

/** What went wrong, in words for the page, with the numbers that show it. */
class Failed extends Error {
  constructor(message, rows = []) {
    super(message);
    this.rows = rows;
  }
}

const row = (name, value) => ({ name, value: String(value) });

async function bytesOf(url, what) {
  let reply;
  try {
    // Not from the browser's cache: what the site serves now is what is checked.
    reply = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new Failed(`The ${what} could not be fetched.`);
  }
  if (!reply.ok) throw new Failed(`The site answers ${reply.status} instead of the ${what}.`);
  return new Uint8Array(await reply.arrayBuffer());
}

/** OpenZeppelin's standard leaf: hashed twice, so that no inner node can pass for one. */
export function leafOf(tokenId, metadataHash, imageHash) {
  const types = [{ type: "uint256" }, { type: "bytes32" }, { type: "bytes32" }];
  return keccak256(keccak256(encodeAbiParameters(types, [BigInt(tokenId), metadataHash, imageHash])));
}

/** Pairs are hashed in ascending order, so that a proof needs no sides. */
export function fold(leaf, proof) {
  return proof.reduce((node, other) => keccak256(concat(node < other ? [node, other] : [other, node])), leaf);
}

export function nextHead(head, drop) {
  return keccak256(encodeAbiParameters([{ type: "bytes32" }, EVENT.inputs[2]], [head, drop]));
}

/** A CID, version 1, in base32, of a sha256 digest. */
export function cidOf(prefix, digest) {
  let bits = "";
  for (const byte of hexToBytes(concat([prefix, digest]))) bits += byte.toString(2).padStart(8, "0");
  const symbols = bits.match(/.{1,5}/g).map((five) => BASE32[parseInt(five.padEnd(5, "0"), 2)]);
  return `b${symbols.join("")}`;
}

const words = (types, values) =>
  keccak256(
    encodeAbiParameters(
      types.map((type) => ({ type })),
      values,
    ),
  );

/** What a work that is drawn on the fly is drawn from: one seed for each token there is. */
export function tokenSeed(chainId, contract, dropNumber, dropSeed, tokenId) {
  const types = ["uint256", "address", "uint256", "bytes32", "uint256"];
  return words(types, [BigInt(chainId), contract, dropNumber, dropSeed, BigInt(tokenId)]);
}

/** A later try has another latent: sha256 of the seed and the number of the try, as 8 bytes. */
export function attemptSeed(seed, attempt) {
  return attempt ? sha256(concat([seed, toHex(attempt, { size: 8 })])) : seed;
}

async function eventsOf(client, proof) {
  const topics = [EVENTS.map((event) => toEventSelector(event))];
  const ask = (fromBlock, toBlock) =>
    client.request({ method: "eth_getLogs", params: [{ address: proof.contract, topics, fromBlock, toBlock }] });
  const hex = (number) => `0x${number.toString(16)}`;
  let logs;
  try {
    logs = await ask(hex(proof.deployed_block ?? 0), "latest");
  } catch {
    // Many nodes refuse long ranges. A missing or extra block changes the last head, which is compared below.
    const blocks = [...new Set([...proof.commit_blocks, ...proof.event_blocks])].slice(-HINTED);
    logs = (await Promise.all(blocks.map((number) => ask(hex(number), hex(number))))).flat();
  }
  const events = logs.map((log) => decodeEventLog({ abi: ABI, data: log.data, topics: log.topics }));
  return (name) => events.filter(({ eventName }) => eventName === name).map(({ args }) => args);
}

async function ask(client, proof, functionName, args = []) {
  const data = encodeFunctionData({ abi: ABI, functionName, args });
  const answer = await client.request({ method: "eth_call", params: [{ to: proof.contract, data }, "latest"] });
  return decodeFunctionResult({ abi: ABI, functionName, data: answer });
}

/** Where metadata say that their picture is: by its own CID, or in the folder of the drop's pictures. */
function namesPicture(known, work, image) {
  const { hash, length } = known.picture || {};
  if (hash && length <= CHUNK_BYTES && image === `ipfs://${cidOf(RAW, hash)}`) return { own: true };
  const [, folder] = String(image).match(/^ipfs:\/\/(b[a-z2-7]{58})\/(\d+)\.png$/) || [];
  return folder && image === `ipfs://${folder}/${work.token}.png` ? { folder } : null;
}

/** The steps in order. Each returns what it says and the numbers behind it, and may use earlier results. */
const STEPS = [
  {
    name: "proof",
    title: "The claim",
    async run(work, known) {
      const text = new TextDecoder().decode(await bytesOf(work.proof, "proof"));
      try {
        known.claim = JSON.parse(text);
      } catch {
        throw new Failed("The proof is not readable.");
      }
      if (known.claim.token_id !== work.token)
        throw new Failed(`The site sent the proof of work ${known.claim.token_id}, not of work ${work.token}.`);
      const rows = [row("picture should hash to", known.claim.image_sha256)];
      rows.push(row("metadata should hash to", known.claim.metadata_keccak256));
      return { says: "What the site says about this work. It is not believed, it is compared.", rows };
    },
  },
  {
    name: "picture",
    title: "The picture",
    async run(work, known) {
      const bytes = await bytesOf(work.image, "picture");
      const hash = sha256(bytes);
      known.picture = { hash, length: bytes.length };
      const rows = [row(`sha256 of ${bytes.length} bytes`, hash)];
      if (!known.claim) throw new Failed("Nothing to compare with: the claim is missing.", rows);
      if (hash !== known.claim.image_sha256) {
        rows.push(row("committed", known.claim.image_sha256));
        throw new Failed("The picture's bytes are not the ones that were committed.", rows);
      }
      return { says: "The picture's bytes are the ones in the leaf.", rows };
    },
  },
  {
    name: "metadata",
    title: "The metadata",
    async run(work, known) {
      const bytes = await bytesOf(work.metadata, "metadata");
      const hash = keccak256(bytes);
      const rows = [row(`keccak256 of ${bytes.length} bytes`, hash)];
      if (!known.claim) throw new Failed("Nothing to compare with: the claim is missing.", rows);
      if (hash !== known.claim.metadata_keccak256) {
        rows.push(row("committed", known.claim.metadata_keccak256));
        throw new Failed("The metadata are not the ones that were committed.", rows);
      }
      const about = JSON.parse(new TextDecoder().decode(bytes));
      known.named = namesPicture(known, work, about.image);
      if (!known.named)
        throw new Failed(`The metadata name the picture ${about.image}, which is not that of work ${work.token}.`, rows);
      return { says: `The metadata, “${about.name}”, are the ones in the leaf.`, rows };
    },
  },
  {
    name: "tree",
    title: "From the leaf to the root",
    async run(work, known) {
      if (!known.claim) throw new Failed("Not computed: the claim is missing.");
      // From the committed hashes: where a file differs from them, the steps above have said so.
      const { metadata_keccak256, image_sha256, proof } = known.claim;
      const leaf = leafOf(work.token, metadata_keccak256, image_sha256);
      known.root = fold(leaf, proof);
      const rows = [row("leaf", leaf), row(`root after ${proof.length} pairs`, known.root)];
      if (known.root !== known.claim.metadata_root) {
        rows.push(row("root the site names", known.claim.metadata_root));
        throw new Failed("Leaf and proof do not lead to the drop's root.", rows);
      }
      return { says: "Leaf and proof lead to the drop's root.", rows };
    },
  },
  {
    name: "chain",
    title: "The chain of drops",
    async run(work, known) {
      if (!known.claim) throw new Failed("Not read: the claim, which names the contract, is missing.");
      const transport = http(known.claim.rpc_url, { timeout: TIMEOUT_MS, retryCount: 0 });
      const client = createPublicClient({ transport });
      const [id, events, head] = await Promise.all([
        client.getChainId(),
        eventsOf(client, known.claim),
        ask(client, known.claim, "head"),
      ]).catch((error) => {
        throw new Failed(`The chain could not be read at ${known.claim.rpc_url}: ${error.shortMessage || error.message}`);
      });
      if (id !== known.claim.chain_id)
        throw new Failed(`The node is on chain ${id}, the contract is on chain ${known.claim.chain_id}.`);
      const rows = [row("contract", known.claim.contract), row("head on chain", head)];
      const drops = events("DropCommitted");
      const folded = drops.reduce((last, { drop }) => nextHead(last, drop), ZERO);
      if (folded !== head) {
        rows.push(row(`head from ${drops.length} events`, folded));
        throw new Failed("The drops in the contract's events do not lead to its head.", rows);
      }
      Object.assign(known, { drops, events, client });
      return { says: `${drops.length === 1 ? "The one committed drop leads" : `The ${drops.length} committed drops lead`} to the contract's head. Compare its address with one from elsewhere.`, rows };
    },
  },
  {
    name: "root",
    title: "The root on chain",
    async run(work, known) {
      if (!known.drops || !known.root) throw new Failed("Not compared: an earlier part is missing.");
      const token = BigInt(work.token);
      const found = known.drops.find(
        ({ drop }) => drop.firstTokenId <= token && token < drop.firstTokenId + drop.count,
      );
      if (!found) throw new Failed(`No committed drop has a work ${work.token}.`);
      const { dropNumber, drop } = found;
      const isLate = drop.metadataRoot === ZERO; // drawn on the fly: its roots were sealed after the sale
      const [sealed] = known.events("DropSealed").filter((args) => args.dropNumber === dropNumber);
      if (isLate && !sealed) throw new Failed(`Drop ${dropNumber} is not sealed: the chain has no root of it yet.`);
      const roots = isLate ? sealed.roots : drop;
      Object.assign(known, { found, roots });
      const rows = [row("computed here", known.root), row(`drop ${dropNumber} on chain`, roots.metadataRoot)];
      if (roots.metadataRoot !== known.root)
        throw new Failed(`The chain has another root for drop ${dropNumber}.`, rows);
      if (known.named && (isLate ? !known.named.own : known.named.folder !== cidOf(FOLDER, roots.imageRoot)))
        throw new Failed("The metadata name a picture that is not this drop's.", rows);
      return { says: `Work ${work.token} is in drop ${dropNumber}, whose root on chain is the one computed here.`, rows };
    },
  },
  {
    name: "address",
    title: "The address on chain",
    async run(work, known) {
      if (!known.roots) throw new Failed("Not compared: an earlier part is missing.");
      const wanted = `ipfs://${cidOf(FOLDER, known.roots.folder)}/metadata/${work.token}.json`;
      let uri;
      try {
        uri = await ask(known.client, known.claim, "tokenURI", [BigInt(work.token)]);
      } catch (error) {
        if (!/revert/i.test(`${error.message} ${error.details}`)) throw new Failed("The address could not be read.");
        return { says: "Nobody has minted this work yet, so the contract has no address for it.", rows: [row("it will be", wanted)] };
      }
      if (uri.startsWith("data:application/json;base64,"))
        return {
          says: "The contract draws and describes this work itself; its drop's folder has the large generator's picture.",
          rows: [row("on chain", `${uri.slice(0, 60)}…`), row("in the committed folder", wanted)],
        };
      const rows = [row("on chain", uri), row("from the committed folder", wanted)];
      if (uri !== wanted) throw new Failed("The contract sends those who ask for this work elsewhere.", rows);
      return { says: "The contract names this work's metadata in the folder that the drop committed to.", rows };
    },
  },
  {
    name: "seed",
    title: "The seed",
    async run(work, known) {
      if (!known.found) throw new Failed("Not derived: an earlier part is missing.");
      const { dropNumber, drop } = known.found;
      if (drop.seedCommit === ZERO)
        return { says: "This drop's works were there before the sale. How they were drawn is in the drop's CAR file.", rows: [] };
      const of = (name) => known.events(name).find((args) => args.dropNumber === dropNumber);
      const [captured, revealed] = [of("BlockCaptured"), of("DropRevealed")];
      if (!captured || !revealed) throw new Failed("The drop's secret is not told: nobody can derive the seed yet.");
      if (words(["bytes32", "uint256"], [revealed.secret, dropNumber]) !== drop.seedCommit)
        throw new Failed("The secret is not the one that was committed to.", [row("secret", revealed.secret)]);
      const seed = words(["bytes32", "bytes32"], [revealed.secret, captured.blockHash]);
      const { chain_id, contract, item_seed, attempt } = known.claim;
      const own = attemptSeed(tokenSeed(chain_id, contract, dropNumber, seed, work.token), attempt);
      const rows = [row("secret", revealed.secret), row(`hash of block ${captured.blockNumber}`, captured.blockHash)];
      rows.push(row("seed of the drop", seed), row(`seed of the work, try ${attempt + 1}`, own));
      if (seed !== revealed.dropSeed || own !== item_seed) {
        rows.push(row("seed the site names", item_seed));
        throw new Failed("The work's seed does not follow from the secret and the block.", rows);
      }
      return { says: "The work's seed follows from a secret that was committed before the sale and a block that came after it.", rows };
    },
  },
];

export const TITLES = STEPS.map(({ name, title }) => ({ name, title }));

/** Run all steps; `tell(name, state, says, rows)` hears each. Returns the titles of those that failed. */
export async function check(work, tell) {
  const known = {};
  const failed = [];
  for (const step of STEPS) {
    tell(step.name, "running", "…", []);
    try {
      const { says, rows } = await step.run(work, known);
      tell(step.name, "passed", says, rows);
    } catch (error) {
      failed.push(step.title);
      tell(step.name, "failed", error.message, error.rows || []);
    }
  }
  return failed;
}
