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
const VOTES = parseAbi(["function delegate(address delegatee)"]);
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

export async function injectedAccount(provider) {
  const [address] = await provider.request({ method: "eth_requestAccounts" });
  const wallet = createWalletClient({ account: address, transport: custom(provider) });
  return {
    address: (await wallet.getAddresses())[0],
    async signIn(nonce, chainId) {
      const message = siweMessage((await wallet.getAddresses())[0], nonce, chainId);
      return { message, signature: await wallet.signMessage({ message }) };
    },
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

export function claimFrom(account, place, staking) {
  return call(account, place, { address: staking, abi: STAKING, functionName: "claim" });
}

export function delegate(account, place, contract) {
  return call(account, place, { address: contract, abi: VOTES, functionName: "delegate", args: [account.address] });
}

/** What a sale lets anybody do, or owes the caller: settle, claimRefund, fail, refund. */
export function askSale(account, place, contract, functionName, args) {
  return call(account, place, { address: contract, abi: ABI, functionName, args });
}
