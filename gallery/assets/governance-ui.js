// What holders decide: voting on a proposal, carrying it out, and proposing bounds. The part that is kept in
// step with the chain comes from the server; what a wallet may do is asked of the chain.
import { tick } from "./mint-ui.js";
import { walletComponent } from "./wallet-ui.js";

const NOBODY = /^0x0+$/;
const votes = (n) => `${n} vote${n === 1n ? "" : "s"}`;
const millionths = (percent) => Math.round(Number(percent) * 10_000);

function between(name, low, high) {
  if (name === "entropy") return `at least ${low} %`;
  if (name === "step") return `at most ${high} %`;
  if (Number(high) === 0) return "no works";
  if (Number(low) === 0) return Number(high) === 100 ? "no limit" : `at most ${high} % of works`;
  return Number(high) === 100 ? `at least ${low} % of works` : `${low} to ${high} % of works`;
}

export function governance() {
  return walletComponent({
    account: null,
    mine: null,
    said: "",
    state: "",
    ready: false,
    folds: [],
    low: 0,
    high: 100,
    chosen: {},
    changes: [],

    start() {
      this.follow();
      this.onBefore = () => (this.folds = this.details().map(({ id, open }) => [id, open]));
      this.onSwap = () => {
        for (const [id, open] of this.folds) document.getElementById(id)?.toggleAttribute("open", open);
        this.follow();
        tick();
      };
      document.addEventListener("htmx:before:swap", this.onBefore);
      document.addEventListener("htmx:after:swap", this.onSwap);
      this.timer = setInterval(tick, 1000);
      tick();
      if (this.$refs.what) this.choose();
    },
    destroy() {
      document.removeEventListener("htmx:before:swap", this.onBefore);
      document.removeEventListener("htmx:after:swap", this.onSwap);
      clearInterval(this.timer);
    },
    /** What a reader has unfolded or folded stays so, whatever the server sends. */
    details() {
      return [...this.$root.querySelectorAll("details[id]")];
    },
    /** The state that the server says. */
    follow() {
      const { state, ready } = this.$root.querySelector("#live").dataset;
      this.state = state || "";
      this.ready = ready === "yes";
    },

    get isAway() {
      return this.account === null;
    },
    get isHere() {
      return this.account !== null && this.mine !== null;
    },
    get done() {
      return this.said !== "";
    },
    get place() {
      return { rpcUrl: this.$root.dataset.rpcUrl, chainId: this.chainId };
    },
    get walletUrl() {
      return this.account ? `/wallets/${this.account.address}` : "";
    },
    get isIdle() {
      return this.isHere && this.mine.works > 0n && NOBODY.test(this.mine.delegate);
    },
    get powerSays() {
      if (!this.isHere) return "";
      const { votes: now, works, delegate } = this.mine;
      const has = `You have ${votes(now)}.`;
      if (!works) return `${has} This wallet holds none of the works.`;
      if (NOBODY.test(delegate)) return `${has} Your works vote once you have said who votes with them.`;
      if (delegate.toLowerCase() === this.account.address.toLowerCase()) return `${has} Your works vote for you.`;
      return `${has} Your works vote through ${delegate.slice(0, 6)}…${delegate.slice(-4)}.`;
    },

    async enter(wallet, account) {
      await this.look(wallet, account);
      this.account = account;
    },
    async look(wallet, account) {
      this.mine = await wallet.standingOf(account, this.place, this.$root.dataset);
    },
    /** Send, and say so; the page follows once the site has read the block. */
    act(send) {
      this.said = "";
      return this.attempt(async (wallet) => {
        await send(wallet);
        await this.look(wallet, this.account);
        this.said = "Done. The page shows it once the site has read the block.";
      });
    },
    voteMyself() {
      return this.act((wallet) => wallet.delegate(this.account, this.place, this.$root.dataset.contract));
    },

    get isOpen() {
      return ["pending", "active", "succeeded", "queued"].includes(this.state);
    },
    get actTitle() {
      return { succeeded: "Queue", queued: "Execute" }[this.state] || "Vote";
    },
    get canVote() {
      return this.isHere && this.state === "active" && !this.mine.voted && this.mine.weight > 0n;
    },
    get canQueue() {
      return this.isHere && this.state === "succeeded";
    },
    get canExecute() {
      return this.isHere && this.state === "queued" && this.ready;
    },
    get whyNot() {
      if (!this.isHere) return "";
      if (this.state === "pending") return "Voting has not begun. What counts are the votes of the block in which it does.";
      if (this.state === "queued" && !this.ready) return "It waits in the timelock for its time.";
      if (this.state !== "active") return "Anybody may do this; it costs gas.";
      if (this.mine.voted) return "You have voted.";
      return this.mine.weight > 0n
        ? `On this proposal you have ${votes(this.mine.weight)}.`
        : "You had no votes when voting on this began.";
    },
    vote(event) {
      const support = Number(event.currentTarget.dataset.support);
      const { governor, number } = this.$root.dataset;
      const reason = this.$refs.reason.value.trim();
      return this.act((wallet) => wallet.castVote(this.account, this.place, governor, number, support, reason));
    },
    carryOn(verb) {
      const action = JSON.parse(document.getElementById("action").textContent);
      return this.act((wallet) => wallet.carryOn(this.account, this.place, this.$root.dataset.governor, verb, action));
    },
    queue() {
      return this.carryOn("queue");
    },
    execute() {
      return this.carryOn("execute");
    },

    /** Begin with what is in force. */
    choose() {
      const option = this.$refs.what.selectedOptions[0];
      this.chosen = { name: option.value, ...option.dataset };
      this.low = Number((100 * this.chosen.low).toFixed(2));
      this.high = Number((100 * this.chosen.high).toFixed(2));
    },
    get hasLow() {
      return this.chosen.name !== "step";
    },
    get hasHigh() {
      return this.chosen.name !== "entropy";
    },
    setLow(event) {
      this.low = this.within(event);
      if (this.hasHigh) this.high = Math.max(this.low, this.high);
    },
    setHigh(event) {
      this.high = this.within(event);
      if (this.hasLow) this.low = Math.min(this.low, this.high);
    },
    within(event) {
      return Math.min(100, Math.max(0, Number(event.currentTarget.value) || 0));
    },
    get shadeX() {
      return this.hasLow ? this.low : 0;
    },
    get shadeWidth() {
      return Math.max(0, (this.hasHigh ? this.high : 100) - this.shadeX);
    },
    get nowX() {
      return this.chosen.now ? Math.min(99, Math.max(0, 100 * Number(this.chosen.now) - 0.5)) : -9;
    },
    get nowSays() {
      const now = this.chosen.now ? `Today it is ${(100 * this.chosen.now).toFixed(1)} %.` : "It is not known yet.";
      return `${now} This would allow: ${between(this.chosen.name, this.low, this.high)}.`;
    },
    add() {
      const { name, word, title } = this.chosen;
      const low = this.hasLow ? this.low : 0;
      const high = this.hasHigh ? this.high : 100;
      const change = {
        name,
        word,
        says: `${title}: ${between(name, low, high)}`,
        low: millionths(low),
        high: millionths(high),
      };
      this.changes = [...this.changes.filter((one) => one.name !== name), change];
    },
    drop(event) {
      const { name } = event.currentTarget.dataset;
      this.changes = this.changes.filter((one) => one.name !== name);
    },
    get hasChanges() {
      return this.changes.length > 0;
    },
    get hasNoChange() {
      return !this.hasChanges;
    },
    get thresholdSays() {
      if (!this.isHere) return "";
      const { threshold, votes: now } = this.mine;
      return now >= threshold
        ? `To propose takes ${votes(threshold)}: you have enough.`
        : `To propose takes ${votes(threshold)}, and you have ${now}.`;
    },
    get cannotPropose() {
      return this.busy || !this.isHere || !this.hasChanges || this.mine.votes < this.mine.threshold;
    },
    propose() {
      const text = this.$refs.why.value.trim() || this.changes.map((one) => one.says).join("; ");
      return this.act(async (wallet) => {
        await wallet.proposeBounds(this.account, this.place, this.$root.dataset, this.changes, text);
        this.changes = [];
        this.$refs.why.value = "";
      });
    },
  });
}
