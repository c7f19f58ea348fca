// The mint page: a wallet, what it may buy, what that costs, and what becomes of it, in plain words. Wallets, gas
// and signatures are in wallet.js, which loads when somebody connects.
import { request } from "./api.js";
import { walletComponent } from "./wallet-ui.js";

const POLL_MS = 1000;
const LONGEST_WAIT_MS = 10 * 60_000;

/** Whom a phase sells to, in the words of the list of phases. */
const WHO = {
  public: "Everybody",
  "allow list": "Allow list",
  "falling price": "Everybody, at a falling price",
  "signed tickets": "Whoever has a ticket",
};

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const shorten = (text) => `${text.slice(0, 8)}…${text.slice(-6)}`;
const works = (n) => `${n} work${n === 1 ? "" : "s"}`;

/** An amount of wei in ETH, with as many digits as a person reads. */
export function ether(wei, digits = 6) {
  const scale = 10n ** BigInt(18 - digits);
  const rounded = (BigInt(wei) + scale - 1n) / scale;
  const whole = rounded / 10n ** BigInt(digits);
  const rest = String(rounded % 10n ** BigInt(digits)).padStart(digits, "0").replace(/0+$/, "");
  return `${whole}${rest ? `.${rest}` : ""} ETH`;
}

/** How long until a time, such as “in 2 h 5 min”. */
export function until(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return "now";
  return `in ${parts
    .slice(first, first + 2)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(" ")}`;
}

/** Times on the page that count down. */
export function tick() {
  for (const time of document.querySelectorAll("time[data-until]")) {
    time.title ||= time.textContent;
    time.textContent = until(new Date(time.dataset.until) - Date.now());
  }
}

export function mint() {
  return walletComponent({
    account: null,
    balance: null,
    offers: [],
    quantity: 1,
    quote: null,
    stages: [],
    works: [],

    start() {
      setInterval(tick, 1000);
      tick();
    },
    get isAway() {
      return this.account === null;
    },
    get isHere() {
      return this.account !== null;
    },
    get trialClass() {
      return this.wallets.length ? "" : "primary";
    },
    get shortAddress() {
      return this.account ? shorten(this.account.address) : "";
    },
    get balanceSays() {
      return this.balance === null ? "" : ether(this.balance);
    },
    get chosen() {
      return this.offers.find((one) => one.chosen);
    },
    get canBuy() {
      return Boolean(this.chosen);
    },
    get most() {
      return this.chosen ? this.chosen.mayBuy : 1;
    },
    get hasStages() {
      return this.stages.length > 0;
    },
    get hasWorks() {
      return this.works.length > 0;
    },
    get cannotSend() {
      return this.busy || !this.quote;
    },
    get buyLabel() {
      return this.chosen ? `Mint ${works(Number(this.quantity) || 1)}` : "Mint";
    },
    get priceSays() {
      return this.chosen ? ether(this.chosen.priceWei * BigInt(this.quantity || 1)) : "";
    },
    get gasSays() {
      return this.quote ? `${this.quote.gas.toLocaleString("en")} gas, ${ether(this.quote.feeWei)}` : "…";
    },
    get totalSays() {
      return this.quote ? ether(this.quote.totalWei) : "…";
    },

    choose(event) {
      const number = Number(event.currentTarget.value);
      this.offers = this.offers.map((one) => ({ ...one, chosen: one.number === number }));
      this.quantity = 1;
      return this.requote();
    },
    requote() {
      return this.attempt((wallet) => this.ask(wallet));
    },
    buy() {
      return this.attempt((wallet) => this.send(wallet));
    },

    get place() {
      const { contract, rpcUrl } = this.$root.dataset;
      return { contract, rpcUrl, chainId: this.chainId };
    },
    async enter(wallet, account) {
      this.balance = await wallet.balanceOf(account, this.place);
      this.account = account;
      await this.look();
      await this.ask(wallet);
    },
    /** What the wallet may buy in each phase, as the site has read the chain. */
    async look() {
      const before = this.chosen?.number;
      const sale = await request(`${this.$root.dataset.saleUrl}?wallet=${this.account.address}`);
      this.offers = sale.phases.map((phase) => ({
        number: phase.number,
        title: WHO[phase.kind],
        price: ether(phase.wallet.price_wei),
        says: phase.wallet.reason || `${works(phase.wallet.may_buy)} at most`,
        closed: phase.wallet.may_buy === 0,
        mayBuy: phase.wallet.may_buy,
        priceWei: BigInt(phase.wallet.price_wei),
        isListed: phase.kind === "allow list",
        isAuction: phase.kind === "falling price",
        maxQuantity: phase.wallet.max_quantity,
        proof: phase.wallet.proof,
        chosen: false,
      }));
      const open = this.offers.filter((one) => !one.closed);
      const chosen = open.find((one) => one.number === before) || open[0];
      if (chosen) chosen.chosen = true;
    },
    get order() {
      const { chosen } = this;
      const quantity = BigInt(Math.min(Math.max(1, Math.trunc(Number(this.quantity)) || 1), chosen.mayBuy));
      return { ...this.place, ...chosen, drop: BigInt(this.$root.dataset.drop), quantity };
    },
    async ask(wallet) {
      this.quote = null;
      if (!this.chosen) return;
      this.quantity = Number(this.order.quantity);
      this.quote = await wallet.quote(this.account, this.order);
      if (this.quote.totalWei > this.balance)
        throw new Error(`This wallet has ${ether(this.balance)}, the mint needs up to ${ether(this.quote.totalWei)}.`);
    },
    async send(wallet) {
      const order = this.order;
      this.works = [];
      this.stages = [];
      this.say("sign", "running", "Waiting for your wallet to sign.");
      let hash;
      try {
        hash = await wallet.send(this.account, order);
      } catch (error) {
        this.stages = [];
        throw error;
      }
      this.say("sign", "passed", "Signed.");
      this.say("block", "running", "Sent. Waiting for a block to take it.", hash);
      const receipt = await wallet.mined(this.account, order, hash);
      if (receipt.status !== "success") {
        this.say("block", "failed", "The contract refused it; only gas was spent.", hash);
        throw new Error("Nothing was minted. Somebody may have been faster: look at the phase again.");
      }
      this.say("block", "passed", `In block ${receipt.blockNumber}. The works are yours.`, hash);
      await this.follow(hash);
      this.balance = await wallet.balanceOf(this.account, order);
      await this.look();
      this.quantity = 1;
      await this.ask(wallet);
    },
    /** The minted works until each has its picture. */
    async follow(hash) {
      const { mintsUrl, worksUrl } = this.$root.dataset;
      const end = Date.now() + LONGEST_WAIT_MS;
      this.say("draw", "running", "The site is reading the block.");
      while (Date.now() < end) {
        const found = await request(mintsUrl + hash).catch(() => []);
        this.works = found.map((one) => ({
          token: one.token_id,
          title: `#${one.token_id}`,
          image: one.image,
          url: one.image ? worksUrl + one.token_id : null,
          waits: !one.image,
          says: one.place > 1 ? `Place ${one.place} in the queue` : "Being drawn",
        }));
        const left = found.filter((one) => !one.image);
        if (found.length && !left.length) {
          this.say("draw", "passed", "Here they are.");
          return;
        }
        if (left.length) this.say("draw", "running", `Being drawn: place ${left[0].place} in the queue.`);
        await pause(POLL_MS);
      }
      this.say("draw", "running", "Still waiting. The works are yours; their pictures will be on the drop's page.");
    },
    say(name, state, says, hash = "") {
      const { explorer } = this.$root.dataset;
      const url = hash && explorer ? `${explorer}/tx/${hash}` : null;
      const stage = { name, state, says, url, short: url ? shorten(hash) : "" };
      const at = this.stages.findIndex((one) => one.name === name);
      if (at < 0) this.stages.push(stage);
      else this.stages.splice(at, 1, stage);
    },
  });
}
