// Follows one work from its bytes to the chain. Nothing the site says is believed: its hints only say where to
// look. Loaded on demand, because it needs the hashes and the ABI coder of viem.
import {
  concat,
  createPublicClient,
  decodeEventLog,
  decodeFunctionResult,
  encodeAbiParameters,
  encodeFunctionData,
  http,
  keccak256,
  parseAbi,
  sha256,
  toEventSelector,
} from "viem";

const DROP =
  "(bytes32 metadataRoot, bytes32 imageRoot, bytes32 folder, bytes32 provenance, bytes32 checkpointHash, bytes32 codeHash, " +
  "bytes32 paramsHash, bytes32 parentParamsHash, bytes32 voteTallyRoot, bytes32 curationLogRoot, bytes32 seedCommit, " +
  "uint256 revealBlock, uint256 firstTokenId, uint256 count)";
const ABI = parseAbi([
  `event DropCommitted(uint256 indexed dropNumber, bytes32 indexed head, ${DROP} drop)`,
  "function head() view returns (bytes32)",
]);
const EVENT = ABI[0];
const ZERO = `0x${"0".repeat(64)}`;
const HINTED = 200; // commitments asked for one by one where a node refuses a long range
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

async function committed(client, proof) {
  const topics = [toEventSelector(EVENT)];
  const ask = (fromBlock, toBlock) =>
    client.request({ method: "eth_getLogs", params: [{ address: proof.contract, topics, fromBlock, toBlock }] });
  const hex = (number) => `0x${number.toString(16)}`;
  let logs;
  try {
    logs = await ask(hex(proof.deployed_block ?? 0), "latest");
  } catch {
    // Many nodes refuse long ranges. A missing or extra block changes the last head, which is compared below.
    const blocks = proof.commit_blocks.slice(0, HINTED);
    logs = (await Promise.all(blocks.map((number) => ask(hex(number), hex(number))))).flat();
  }
  return logs.map((log) => decodeEventLog({ abi: ABI, data: log.data, topics: log.topics }).args);
}

async function headOnChain(client, proof) {
  const data = encodeFunctionData({ abi: ABI, functionName: "head" });
  const answer = await client.request({ method: "eth_call", params: [{ to: proof.contract, data }, "latest"] });
  return decodeFunctionResult({ abi: ABI, functionName: "head", data: answer });
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
      if (!String(about.image).endsWith(`/${work.token}.png`))
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
      const [id, drops, head] = await Promise.all([
        client.getChainId(),
        committed(client, known.claim),
        headOnChain(client, known.claim),
      ]).catch((error) => {
        throw new Failed(`The chain could not be read at ${known.claim.rpc_url}: ${error.shortMessage || error.message}`);
      });
      if (id !== known.claim.chain_id)
        throw new Failed(`The node is on chain ${id}, the contract is on chain ${known.claim.chain_id}.`);
      const rows = [row("contract", known.claim.contract), row("head on chain", head)];
      const folded = drops.reduce((last, { drop }) => nextHead(last, drop), ZERO);
      if (folded !== head) {
        rows.push(row(`head from ${drops.length} events`, folded));
        throw new Failed("The drops in the contract's events do not lead to its head.", rows);
      }
      known.drops = drops;
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
      const rows = [row("computed here", known.root), row(`drop ${dropNumber} on chain`, drop.metadataRoot)];
      if (drop.metadataRoot !== known.root)
        throw new Failed(`The chain has another root for drop ${dropNumber}.`, rows);
      return { says: `Work ${work.token} is in drop ${dropNumber}, whose root on chain is the one computed here.`, rows };
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
