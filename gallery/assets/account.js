// A work's own account: what it holds, asked when the visitor wants to know; creating it, and taking things out.
import { walletComponent } from "./wallet-ui.js";

const TIMEOUT_MS = 10_000;
const WEI_DIGITS = 18;

export function account() {
  return walletComponent({
    says: "",
    said: "",
    wei: 0n,
    isCreated: false,
    isReady: false,
    user: null,

    get done() {
      return this.said !== "";
    },
    get canCreate() {
      return this.isReady && !this.isCreated;
    },
    get mayTake() {
      return this.isCreated && (this.wei > 0n || this.$root.querySelector("[data-held]") !== null);
    },
    get needsWallet() {
      return this.user === null && (this.canCreate || this.mayTake);
    },
    get offersCreation() {
      return this.user !== null && this.canCreate;
    },
    get offersWei() {
      return this.user !== null && this.isCreated && this.wei > 0n;
    },
    get offersWorks() {
      return this.user !== null && this.mayTake;
    },
    get holds() {
      return `${exact(this.wei)} ETH`;
    },
    get place() {
      return { rpcUrl: this.$root.dataset.rpc, chainId: this.chainId };
    },

    async ask() {
      if (this.busy) return;
      this.busy = true;
      this.message = "";
      const { rpc, account, registry, implementation } = this.$root.dataset;
      try {
        const [balance, ...codes] = await Promise.all([
          call(rpc, "eth_getBalance", account),
          ...[account, registry, implementation].map((address) => call(rpc, "eth_getCode", address)),
        ]);
        const [isCreated, hasRegistry, hasImplementation] = codes.map((code) => code !== "0x");
        this.wei = BigInt(balance);
        this.isCreated = isCreated;
        this.isReady = hasRegistry && hasImplementation;
        this.says = told(this.holds, isCreated, hasRegistry, hasImplementation);
      } catch {
        this.says = "";
        this.message = "The chain could not be asked.";
      }
      this.busy = false;
    },

    /** Anybody may create an account; what is in it is its owner's. */
    enter(wallet, user) {
      const { owner } = this.$root.dataset;
      if (this.isCreated && user.address.toLowerCase() !== owner.toLowerCase())
        throw new Error(`That wallet is ${user.address}; this work is another one's.`);
      this.user = user;
    },
    create() {
      const { registry, implementation, contract, token } = this.$root.dataset;
      return this.attempt(async (wallet) => {
        await wallet.createAccount(this.user, this.place, registry, implementation, contract, BigInt(token));
        await this.again("The account is there.");
      });
    },
    takeWei() {
      return this.attempt(async (wallet) => {
        await wallet.takeWei(this.user, this.place, this.$root.dataset.account, this.wei);
        await this.again(`${this.holds} went to ${this.user.address}.`);
      });
    },
    takeWork(event) {
      const { contract, account } = this.$root.dataset;
      const button = event.currentTarget;
      return this.attempt(async (wallet) => {
        await wallet.takeWork(this.user, this.place, account, contract, BigInt(button.dataset.held));
        button.style.display = "none";
        await this.again("Done. The page shows it once the site has read the block.");
      });
    },
    async again(said) {
      this.busy = false;
      await this.ask();
      this.said = said;
    },
  });
}

async function call(rpc, method, address) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: [address, "latest"] });
  const headers = { "Content-Type": "application/json" };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const reply = await (await fetch(rpc, { method: "POST", headers, body, signal })).json();
  if (typeof reply.result !== "string") throw new Error(method);
  return reply.result;
}

function told(holds, isCreated, hasRegistry, hasImplementation) {
  const start = `It holds ${holds}.`;
  if (isCreated) return `${start} The account has been created.`;
  if (!hasRegistry) return `${start} This chain has no registry of accounts, so it cannot be created yet.`;
  if (!hasImplementation) return `${start} Its implementation is not on this chain, so it must not be created yet.`;
  return `${start} Nobody has created the account yet; what is sent there waits for that.`;
}

function exact(wei) {
  const digits = String(wei).padStart(WEI_DIGITS + 1, "0");
  return `${digits.slice(0, -WEI_DIGITS)}.${digits.slice(-WEI_DIGITS)}`.replace(/\.?0+$/, "");
}
