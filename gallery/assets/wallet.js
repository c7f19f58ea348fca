// Accounts that can sign in (EIP-4361) and mint. Loaded on demand.
import { createPublicClient, createWalletClient, custom, defineChain, http, parseAbi, parseEther, toHex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { createSiweMessage } from "viem/siwe";

const KEY = "morphora-trial-key";
const ABI = parseAbi(["function mint(uint256 dropNumber, uint256 phase, uint256 quantity) payable"]);
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
    async client(order) {
      if (order.chainId !== LOCAL_CHAIN_ID) throw new Error("A trial wallet works on the local chain only.");
      const local = chain(order.chainId, order.rpcUrl);
      const reader = createPublicClient({ chain: local, transport: http(order.rpcUrl) });
      if ((await reader.getBalance({ address: account.address })) < parseEther("1")) {
        const params = [account.address, toHex(parseEther("100"))];
        await reader.request({ method: "anvil_setBalance", params });
      }
      return createWalletClient({ account, chain: local, transport: http(order.rpcUrl) });
    },
  };
}

export async function injectedAccount(provider) {
  const [address] = await provider.request({ method: "eth_requestAccounts" });
  const wallet = createWalletClient({ account: address, transport: custom(provider) });
  return {
    address,
    async signIn(nonce, chainId) {
      const message = siweMessage((await wallet.getAddresses())[0], nonce, chainId);
      return { message, signature: await wallet.signMessage({ message }) };
    },
    async client(order) {
      const local = chain(order.chainId, order.rpcUrl);
      if ((await wallet.getChainId()) !== order.chainId) await wallet.switchChain({ id: order.chainId });
      return createWalletClient({ account: address, chain: local, transport: custom(provider) });
    },
  };
}

export async function mintOne(account, order) {
  const client = await account.client(order);
  return client.writeContract({
    address: order.contract,
    abi: ABI,
    functionName: "mint",
    args: [order.drop, order.phase, 1n],
    value: order.price,
  });
}
