// Selling a work, buying it, and taking it off sale again. The site says what to sign and send; the wallet does it.
import { request } from "./api.js";
import { walletComponent } from "./wallet-ui.js";

const DAY_S = 86400;
const WEI_DIGITS = 18;

export function trade() {
  return walletComponent({
    said: "",
    step: "",

    get done() {
      return this.said !== "";
    },
    get works() {
      return this.step !== "";
    },
    get isForSale() {
      return "offer" in this.$root.dataset;
    },
    /** The owner sells it or takes it back, anybody else buys it. */
    async enter(wallet, account) {
      const { owner, seller, rpcUrl } = this.$root.dataset;
      const place = { rpcUrl, chainId: this.chainId };
      const isMine = account.address.toLowerCase() === (seller || owner).toLowerCase();
      this.said = "";
      try {
        if (this.isForSale) await this.meet(wallet, account, place, isMine ? "take_back" : "buy");
        else if (isMine) await this.sell(wallet, account, place);
        else throw new Error(`That wallet is ${account.address}; this work is another one's.`);
      } finally {
        this.step = "";
      }
    },
    async meet(wallet, account, place, name) {
      this.step = "Asking the marketplace …";
      const calls = await request(this.$root.dataset.offer);
      this.step = name === "buy" ? "Buying it …" : "Taking it off sale …";
      await wallet.sendCall(account, place, calls[name]);
      this.finish(name === "buy" ? "It is yours." : "It is not for sale any more.");
    },
    async sell(wallet, account, place) {
      const price = wei(this.$refs.price.value);
      const days = Number(this.$refs.days.value);
      if (price === null || price <= 0n) throw new Error("Type a price above 0, such as 0.05.");
      if (!(days > 0 && days < 366)) throw new Error("It can be for sale for 1 to 365 days.");
      this.step = "Asking the chain …";
      const terms = new URLSearchParams({ price_wei: String(price), seconds: String(Math.round(days * DAY_S)) });
      const { order, typed_data: typed, approval } = await request(`${this.$root.dataset.draft}?${terms}`);
      if (approval) {
        this.step = "Letting the marketplace move works of this collection …";
        await wallet.sendCall(account, place, approval);
      }
      this.step = "Signing the order …";
      const signature = await account.signTyped(typed);
      await request(this.$root.dataset.listings, { order, signature });
      this.finish("It is for sale.");
    },
    finish(said) {
      this.said = `${said} The page shows it once the site has read the block.`;
      setTimeout(() => location.reload(), 4000);
    },
  });
}

/** What somebody typed in ETH, in wei; null where that is no number. */
function wei(text) {
  const found = /^(\d{1,9})(?:[.,](\d{0,18}))?$/.exec(text.trim());
  return found && BigInt(found[1] + (found[2] || "").padEnd(WEI_DIGITS, "0"));
}
