// Accounts that can sign in (EIP-4361) and mint. Loaded on demand.
import {
  createPublicClient,
  createWalletClient,
  custom,
  defineChain,
  encodeFunctionData,
  http,
  parseAbi,
  parseEther,
  toHex,
} from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { createSiweMessage } from "viem/siwe";

const KEY = "morphora-trial-key";
const ABI = parseAbi([
  "function mint(uint256 dropNumber, uint256 phase, uint256 quantity) payable",
  "function mintListed(uint256 dropNumber, uint256 phase, uint256 quantity, uint256 maxQuantity, uint256 priceWei, bytes32[] proof) payable",
  "function settle(uint256 dropNumber, uint256 phase)",
  "function claimRefund(uint256 dropNumber, uint256 phase)",
  "function fail(uint256 dropNumber)",
  "function refund(uint256 dropNumber, uint256[] tokenIds)",
]);
const STAKING = parseAbi([
  "function stake(uint256[] tokenIds)",
  "function unstake(uint256[] tokenIds)",
  "function claim()",
  "function earned(address wallet) view returns (uint256)",
]);
const EVOLUTION = parseAbi([
  "function interact(uint256 tokenId)",
  "function namePosition(uint256 rule, uint256 tokenId, uint256 positionId)",
  "error NotYourPosition(uint256 positionId, address caller)",
  "error TooEarly(uint256 tokenId, uint256 nextAt)",
  "error NotTheHolder(uint256 tokenId, address caller)",
]);
const REGISTRY = parseAbi([
  "function createAccount(address implementation, bytes32 salt, uint256 chainId, address tokenContract, uint256 tokenId) returns (address)",
]);
const ACCOUNT = parseAbi([
  "function execute(address to, uint256 value, bytes data, uint8 operation) payable returns (bytes)",
  "error NotOwner(address caller)",
]);
const TOKEN = parseAbi(["function transferFrom(address from, address to, uint256 tokenId)"]);
const NO_SALT = toHex(0, { size: 32 });
const VOTES = parseAbi([
  "function delegate(address delegatee)",
  "function delegates(address wallet) view returns (address)",
  "function getVotes(address wallet) view returns (uint256)",
  "function balanceOf(address wallet) view returns (uint256)",
]);
const GOVERNOR = parseAbi([
  "function propose(address[] targets, uint256[] values, bytes[] calldatas, string description) returns (uint256)",
  "function castVoteWithReason(uint256 proposalId, uint8 support, string reason) returns (uint256)",
  "function queue(address[] targets, uint256[] values, bytes[] calldatas, bytes32 digest) returns (uint256)",
  "function execute(address[] targets, uint256[] values, bytes[] calldatas, bytes32 digest) payable returns (uint256)",
  "function proposalThreshold() view returns (uint256)",
  "function hasVoted(uint256 proposalId, address wallet) view returns (bool)",
  "function getVotes(address wallet, uint256 block) view returns (uint256)",
  "error GovernorAlreadyCastVote(address voter)",
  "error GovernorInsufficientProposerVotes(address proposer, uint256 votes, uint256 threshold)",
  "error GovernorUnexpectedProposalState(uint256 proposalId, uint8 current, bytes32 expected)",
  "error GovernorNonexistentProposal(uint256 proposalId)",
  "error TimelockUnexpectedOperationState(bytes32 id, bytes32 expected)",
  "error BoundsCrossed(bytes32 name, int128 low, int128 high)",
]);
const BOUNDS = parseAbi(["function setBounds(bytes32 name, int128 low, int128 high)"]);
// Other mints may make storage dearer between the estimate and the block.
const GAS_MARGIN = 6n; // a sixth
const LOCAL_CHAIN_ID = 31337;

function siweMessage(address, nonce, chainId) {
  const now = new Date();
  return createSiweMessage({
    address,
    chainId,
    domain: location.host,
    uri: location.origin,
    version: "1",
    nonce,
    statement: "Sign in to Morphora.",
    issuedAt: now,
    expirationTime: new Date(now.getTime() + 5 * 60_000),
  });
}

function chain(id, rpcUrl) {
  return defineChain({
    id,
    name: `chain ${id}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
}

/** A key of this browser, for the local chain only: it has no value anywhere else. */
export function trialAccount() {
  let key = localStorage.getItem(KEY);
  if (!key) {
    key = generatePrivateKey();
    localStorage.setItem(KEY, key);
  }
  const account = privateKeyToAccount(key);
  return {
    address: account.address,
    async signIn(nonce, chainId) {
      const message = siweMessage(account.address, nonce, chainId);
      return { message, signature: await account.signMessage({ message }) };
    },
    signTyped: (typed) => account.signTypedData(typed),
    async clients(place) {
      if (place.chainId !== LOCAL_CHAIN_ID) throw new Error("A trial wallet works on the local chain only.");
      const local = chain(place.chainId, place.rpcUrl);
      const reader = createPublicClient({ chain: local, transport: http(place.rpcUrl), pollingInterval: 500 });
      if ((await reader.getBalance({ address: account.address })) < parseEther("1")) {
        const params = [account.address, toHex(parseEther("100"))];
        await reader.request({ method: "anvil_setBalance", params });
      }
      return { reader, writer: createWalletClient({ account, chain: local, transport: http(place.rpcUrl) }) };
    },
  };
}

/** The account with an address: of this browser, or of the wallet that has it; each asked in turn. */
export async function accountOf(address, providers) {
  const isIt = (one) => one.toLowerCase() === address.toLowerCase();
  if (localStorage.getItem(KEY) && isIt(trialAccount().address)) return trialAccount();
  for (const method of ["eth_accounts", "eth_requestAccounts"])
    for (const provider of providers)
      if ((await provider.request({ method })).some(isIt)) return injectedAccount(provider, address);
  throw new Error(`No wallet in this browser has the account ${address}.`);
}

export async function injectedAccount(provider, wanted) {
  const [first] = await provider.request({ method: "eth_requestAccounts" });
  const address = wanted || first;
  const wallet = createWalletClient({ account: address, transport: custom(provider) });
  return {
    address: wanted || (await wallet.getAddresses())[0],
    async signIn(nonce, chainId) {
      const message = siweMessage((await wallet.getAddresses())[0], nonce, chainId);
      return { message, signature: await wallet.signMessage({ message }) };
    },
    signTyped: (typed) => wallet.signTypedData(typed),
    async clients(place) {
      const there = chain(place.chainId, place.rpcUrl);
      if ((await wallet.getChainId()) !== place.chainId) await wallet.switchChain({ id: place.chainId });
      const transport = custom(provider);
      const reader = createPublicClient({ chain: there, transport, pollingInterval: 1000 });
      return { reader, writer: createWalletClient({ account: address, chain: there, transport }) };
    },
  };
}

export async function balanceOf(account, place) {
  const { reader } = await account.clients(place);
  return reader.getBalance({ address: account.address });
}

/** What is signed: the call and what is paid with it. */
function transaction(order) {
  const { drop, quantity, maxQuantity, priceWei, proof } = order;
  const phase = BigInt(order.number);
  const data = order.isListed
    ? encodeFunctionData({
        abi: ABI,
        functionName: "mintListed",
        args: [drop, phase, quantity, BigInt(maxQuantity), priceWei, proof],
      })
    : encodeFunctionData({ abi: ABI, functionName: "mint", args: [drop, phase, quantity] });
  return { to: order.contract, data, value: priceWei * quantity };
}

/** Gas and fees of a mint, simulated: a refusal of the contract is an error here, before anything is signed. */
export async function quote(account, order) {
  const { reader } = await account.clients(order);
  const call = transaction(order);
  const [estimate, fees] = await Promise.all([
    reader.estimateGas({ account: account.address, ...call }),
    reader.estimateFeesPerGas(),
  ]);
  const gas = estimate + estimate / GAS_MARGIN;
  const feeWei = gas * fees.maxFeePerGas;
  return { gas, feeWei, totalWei: feeWei + call.value, ...fees };
}

export async function send(account, order) {
  const { writer } = await account.clients(order);
  const { gas, maxFeePerGas, maxPriorityFeePerGas } = await quote(account, order);
  return writer.sendTransaction({ ...transaction(order), gas, maxFeePerGas, maxPriorityFeePerGas });
}

export async function mined(account, order, hash) {
  const { reader } = await account.clients(order);
  return reader.waitForTransactionReceipt({ hash });
}

export async function earnedIn(account, place, staking) {
  const { reader } = await account.clients(place);
  return reader.readContract({ address: staking, abi: STAKING, functionName: "earned", args: [account.address] });
}

/** Simulated first: a refusal is an error before anything is signed. Returns once it is in a block. */
async function call(account, place, request) {
  const { reader, writer } = await account.clients(place);
  await reader.simulateContract({ account: account.address, ...request });
  const receipt = await mined(account, place, await writer.writeContract(request));
  if (receipt.status !== "success") throw new Error("The contract refused it; only gas was spent.");
}

export function moveStakes(account, place, staking, verb, ids) {
  return call(account, place, { address: staking, abi: STAKING, functionName: verb, args: [ids] });
}

/** A transaction that the site made: simulated first, and in a block when this returns. */
export async function sendCall(account, place, { to, input, value_wei: valueWei }) {
  const { reader, writer } = await account.clients(place);
  const request = { to, data: input, value: BigInt(valueWei) };
  const gas = await reader.estimateGas({ account: account.address, ...request });
  const receipt = await mined(account, place, await writer.sendTransaction({ ...request, gas: gas + gas / GAS_MARGIN }));
  if (receipt.status !== "success") throw new Error("The contract refused it; only gas was spent.");
}

/** Typed data in JSON as a wallet's library takes it: numbers as integers, without the domain's type. */
export function forWallets({ domain, types, primaryType, message }) {
  const { EIP712Domain, ...own } = types;
  const isNumber = (name) => own[primaryType].some((one) => one.name === name && one.type === "uint256");
  const entries = Object.entries(message).map(([name, value]) => [name, isNumber(name) ? BigInt(value) : value]);
  return { domain, types: own, primaryType, message: Object.fromEntries(entries) };
}

export function interact(account, place, evolution, tokenId) {
  return call(account, place, { address: evolution, abi: EVOLUTION, functionName: "interact", args: [tokenId] });
}

export function namePosition(account, place, evolution, args) {
  return call(account, place, { address: evolution, abi: EVOLUTION, functionName: "namePosition", args });
}

/** The account that belongs to a work (ERC-6551). */
export function createAccount(account, place, registry, implementation, contract, tokenId) {
  const args = [implementation, NO_SALT, BigInt(place.chainId), contract, tokenId];
  return call(account, place, { address: registry, abi: REGISTRY, functionName: "createAccount", args });
}

export function takeWei(account, place, tokenAccount, wei) {
  const args = [account.address, wei, "0x", 0];
  return call(account, place, { address: tokenAccount, abi: ACCOUNT, functionName: "execute", args });
}

export function takeWork(account, place, tokenAccount, contract, tokenId) {
  const moves = [tokenAccount, account.address, tokenId];
  const data = encodeFunctionData({ abi: TOKEN, functionName: "transferFrom", args: moves });
  const args = [contract, 0n, data, 0];
  return call(account, place, { address: tokenAccount, abi: ACCOUNT, functionName: "execute", args });
}

export function claimFrom(account, place, staking) {
  return call(account, place, { address: staking, abi: STAKING, functionName: "claim" });
}

export function delegate(account, place, contract) {
  return call(account, place, { address: contract, abi: VOTES, functionName: "delegate", args: [account.address] });
}

/** What a wallet may do in a government: its votes now and, of a proposal, at its snapshot. */
export async function standingOf(account, place, { governor, contract, number, snapshot }) {
  const { reader } = await account.clients(place);
  const who = account.address;
  const ask = (functionName, args, address = governor, abi = GOVERNOR) =>
    reader.readContract({ address, abi, functionName, args });
  const [votes, delegate, works, threshold, head] = await Promise.all([
    ask("getVotes", [who], contract, VOTES),
    ask("delegates", [who], contract, VOTES),
    ask("balanceOf", [who], contract, VOTES),
    ask("proposalThreshold", []),
    reader.getBlockNumber(),
  ]);
  const counts = number !== undefined && BigInt(snapshot) < head;
  const voted = number !== undefined && (await ask("hasVoted", [BigInt(number), who]));
  const weight = counts ? await ask("getVotes", [who, BigInt(snapshot)]) : votes;
  return { votes, delegate, works, threshold, voted, weight };
}

export function castVote(account, place, governor, number, support, reason) {
  const args = [BigInt(number), support, reason];
  return call(account, place, { address: governor, abi: GOVERNOR, functionName: "castVoteWithReason", args });
}

/** Changes are {word, low, high}, in millionths. */
export function proposeBounds(account, place, { governor, bounds }, changes, text) {
  const data = changes.map(({ word, low, high }) =>
    encodeFunctionData({ abi: BOUNDS, functionName: "setBounds", args: [word, BigInt(low), BigInt(high)] }),
  );
  const args = [data.map(() => bounds), data.map(() => 0n), data, text];
  return call(account, place, { address: governor, abi: GOVERNOR, functionName: "propose", args });
}

/** Queue or execute what was accepted. */
export function carryOn(account, place, governor, verb, { targets, values, calldatas, digest }) {
  const args = [targets, values.map(BigInt), calldatas, digest];
  return call(account, place, { address: governor, abi: GOVERNOR, functionName: verb, args });
}

/** What a sale lets anybody do, or owes the caller: settle, claimRefund, fail, refund. */
export function askSale(account, place, contract, functionName, args) {
  return call(account, place, { address: contract, abi: ABI, functionName, args });
}
