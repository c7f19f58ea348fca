// Signing in and minting with a wallet. Injected wallets announce themselves (EIP-6963); on a local chain
// a trial wallet can be made in the browser.
import { request } from "./api.js";

const loadWallet = () => import("./wallet.js");

function discover(component) {
  addEventListener("eip6963:announceProvider", (event) => {
    const { info, provider } = event.detail;
    if (!component.wallets.some((known) => known.uuid === info.uuid))
      component.wallets.push({ uuid: info.uuid, name: info.name, provider });
  });
  dispatchEvent(new Event("eip6963:requestProvider"));
  setTimeout(() => {
    if (!component.wallets.length && window.ethereum)
      component.wallets.push({ uuid: "injected", name: "Browser wallet", provider: window.ethereum });
  }, 300);
}

// What governor, timelock and evolution refuse with.
const REFUSALS = {
  TooEarly: "Its holder has just interacted with it; it may be done again later.",
  NotYourPosition: "This position of the pool is not this wallet's.",
  NotTheHolder: "This work is another one's now.",
  NotOwner: "This work is another one's now.",
  GovernorAlreadyCastVote: "This wallet has voted on it already.",
  GovernorInsufficientProposerVotes: "Your votes are fewer than a proposal takes. New ones count once another block has followed.",
  GovernorUnexpectedProposalState: "The proposal is not at that point: voting may not have begun, or be over.",
  GovernorNonexistentProposal: "The chain does not know this proposal any more.",
  TimelockUnexpectedOperationState: "The timelock does not let it through yet.",
};

function explain(error) {
  if (error.code === 4001) return "The wallet declined.";
  const refused = error.walk?.((one) => one.data?.errorName);
  if (refused && REFUSALS[refused.data.errorName]) return REFUSALS[refused.data.errorName];
  return error.shortMessage || error.message || "The wallet did not answer.";
}

export function walletComponent(extra) {
  const component = {
    wallets: [],
    message: "",
    busy: false,
    looked: false,
    get failed() {
      return this.message !== "";
    },
    get isTrial() {
      return this.$root.dataset.chainId === "31337";
    },
    /** Whether nobody here could sign, once wallets had the time to announce themselves. */
    get hasNone() {
      return this.looked && !this.isTrial && !this.wallets.length;
    },
    get chainId() {
      return Number(this.$root.dataset.chainId);
    },
    async attempt(work) {
      if (this.busy) return;
      this.busy = true;
      this.message = "";
      try {
        await work(await loadWallet());
      } catch (error) {
        this.message = explain(error);
      }
      this.busy = false;
    },
    /** What somebody does with the wallet they chose. */
    async enter(wallet, account) {},
    useTrial() {
      return this.attempt(async (wallet) => this.enter(wallet, wallet.trialAccount()));
    },
    useInjected(event) {
      const uuid = event.currentTarget.dataset.uuid;
      const { provider } = this.wallets.find((known) => known.uuid === uuid);
      return this.attempt(async (wallet) => this.enter(wallet, await wallet.injectedAccount(provider)));
    },
    start() {},
    init() {
      discover(this);
      setTimeout(() => (this.looked = true), 600);
      this.start();
    },
  };
  // With their getters: spreading would read them once.
  return Object.defineProperties(component, Object.getOwnPropertyDescriptors(extra));
}

export function signIn() {
  return walletComponent({
    async enter(wallet, account) {
      const { nonce } = await request("/api/auth/nonce");
      const { message, signature } = await account.signIn(nonce, this.chainId);
      await request("/api/auth/verify", { message, signature });
      location.assign(this.$root.dataset.next || "/");
    },
  });
}
