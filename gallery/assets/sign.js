// A vote as the message that its voter's wallet signs (EIP-712), in the words of sentiment/integrity/ballots.py.
const TYPES = {
  Vote: [
    { name: "drop", type: "uint256" },
    { name: "collection", type: "string" },
    { name: "left", type: "string" },
    { name: "right", type: "string" },
    { name: "winner", type: "string" },
  ],
};

// Wallets in this browser: those that announce themselves (EIP-6963), and the one that is just there.
function providers() {
  const found = [];
  const add = (event) => found.push(event.detail.provider);
  addEventListener("eip6963:announceProvider", add);
  dispatchEvent(new Event("eip6963:requestProvider"));
  removeEventListener("eip6963:announceProvider", add);
  if (window.ethereum && !found.includes(window.ethereum)) found.push(window.ethereum);
  return found;
}

/** What the voter's wallet says to a choice; an error where there is no such wallet, or it declines. */
export async function signVote({ voter, chainId, collection, drop }, pair, side) {
  const wallet = await import("./wallet.js");
  const account = await wallet.accountOf(voter, providers());
  const name = (work) => `${drop}/${work.index}`;
  return account.signTyped({
    domain: { name: "Morphora", version: "1", chainId: Number(chainId) },
    types: TYPES,
    primaryType: "Vote",
    message: {
      drop: BigInt(drop),
      collection,
      left: name(pair.left),
      right: name(pair.right),
      winner: name(pair[side]),
    },
  });
}
