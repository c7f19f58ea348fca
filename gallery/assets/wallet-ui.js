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

function explain(error) {
  if (error.code === 4001) return "The wallet declined.";
  return error.shortMessage || error.message || "The wallet did not answer.";
}

export function walletComponent(extra) {
  const component = {
    wallets: [],
    message: "",
    busy: false,
    get failed() {
      return this.message !== "";
    },
    get isTrial() {
      return this.$root.dataset.chainId === "31337";
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
    start() {},
    init() {
      discover(this);
      this.start();
    },
  };
  // With their getters: spreading would read them once.
  return Object.defineProperties(component, Object.getOwnPropertyDescriptors(extra));
}

export function signIn() {
  return walletComponent({
    async enter(account) {
      const { nonce } = await request("/api/auth/nonce");
      const { message, signature } = await account.signIn(nonce, this.chainId);
      await request("/api/auth/verify", { message, signature });
      location.assign(this.$root.dataset.next || "/");
    },
    useTrial() {
      return this.attempt(async (wallet) => this.enter(wallet.trialAccount()));
    },
    useInjected(event) {
      const uuid = event.currentTarget.dataset.uuid;
      const { provider } = this.wallets.find((known) => known.uuid === uuid);
      return this.attempt(async (wallet) => this.enter(await wallet.injectedAccount(provider)));
    },
  });
}
