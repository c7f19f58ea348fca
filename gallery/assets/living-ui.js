// A work that its contract draws: as it was, as it would be at other levels, and its holder's interaction with it.
import { request } from "./api.js";
import { walletComponent } from "./wallet-ui.js";

const NOW = "As the contract draws it now";
const LARGE = "As the large generator drew it at its mint";
const NUMBER = "Type the number of your position, as its manager has it.";
const STEP_MS = 900;
const [WAITS, WAIT_MS] = [20, 1500];

/** As the page writes times. */
const utc = (at, timeStyle) => new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle, timeZone: "UTC" });

export function living() {
  return walletComponent({
    playing: false,
    looking: false,
    running: 0,
    moments: [],
    place: 0,
    shows: NOW,
    showsLarge: LARGE,
    said: "",
    naming: false,

    get verb() {
      return this.naming || !("interacts" in this.$root.dataset) ? "Name the position" : "Interact";
    },
    get done() {
      return this.said !== "";
    },
    get playLabel() {
      return this.playing ? "As it is" : "What if?";
    },
    get lookLabel() {
      return this.looking ? "As it is now" : "Through its life";
    },
    get runLabel() {
      return this.running ? "Stop" : "Play";
    },
    get last() {
      return Math.max(0, this.moments.length - 1);
    },
    get told() {
      const one = this.moments[this.place];
      if (!one) return "Reading its life…";
      const titles = one.happened.map(({ title }) => title).join(", ");
      const at = utc(one.at, "short");
      return `${this.place + 1} of ${this.moments.length}: ${titles}, ${at}, block ${one.block}`;
    },
    get isPartly() {
      return this.moments[this.place]?.is_whole === false;
    },
    play() {
      if (this.looking) this.leave();
      this.playing = !this.playing;
      if (this.playing) return;
      for (const one of this.sliders()) one.value = one.dataset.now;
      for (const one of this.meters()) this.measure(one, one.dataset.level);
      this.show("", NOW);
    },
    sliders() {
      return [...this.$root.querySelectorAll(".what-if input")];
    },
    look() {
      return this.looking ? this.leave() : this.begin();
    },
    /** Begin with where it is; with a block, with that one. */
    async begin(block) {
      if (this.playing) this.play();
      this.looking = true;
      this.message = "";
      try {
        this.moments = (await request(this.$root.dataset.life)).moments;
      } catch (error) {
        this.looking = false;
        this.message = error.message;
        return;
      }
      const found = block ? this.moments.findIndex((one) => one.block >= block) : -1;
      await this.$nextTick();
      this.go(found < 0 ? this.last : found);
    },
    leave() {
      this.halt();
      this.looking = false;
      for (const one of this.meters()) this.measure(one, one.dataset.level);
      this.show("", NOW);
      this.$refs.large.src = this.$refs.large.dataset.now;
      this.showsLarge = LARGE;
    },
    meters() {
      return [...this.$root.querySelectorAll(".meters > li")];
    },
    measure(meter, level) {
      meter.querySelector(".level").textContent = level;
      meter.querySelector(".fill").setAttribute("width", (100 * level) / meter.dataset.highest);
    },
    jump(event) {
      return this.begin(Number(event.currentTarget.dataset.block)).then(() =>
        this.$root.scrollIntoView({ block: "start" }),
      );
    },
    seek(event) {
      this.halt();
      this.go(Number(event.target.value));
    },
    go(place) {
      const one = this.moments[place];
      if (!one) return;
      this.place = place;
      this.$refs.moment.value = place;
      this.meters().forEach((meter, k) => this.measure(meter, one.levels[k]));
      this.show(`?levels=${one.levels.join(",")}`, "As the contract drew it then");
      if (!one.large_picture) return;
      this.$refs.large.src = one.large_picture;
      this.showsLarge = "As the large generator drew it then";
    },
    run() {
      if (this.running) return this.halt();
      this.go(this.place === this.last ? 0 : this.place + 1);
      this.running = setInterval(() => (this.place < this.last ? this.go(this.place + 1) : this.halt()), STEP_MS);
    },
    halt() {
      clearInterval(this.running);
      this.running = 0;
    },
    imagine() {
      const levels = this.sliders().map((one) => one.value);
      this.meters().forEach((meter, k) => this.measure(meter, levels[k]));
      this.show(`?levels=${levels.join(",")}`, "As it would be");
    },
    /** Nothing before the secret is told: the contract draws no picture then. */
    show(query, says) {
      if (!this.$refs.picture) return;
      this.$refs.picture.src = this.$root.dataset.url + query;
      this.shows = says;
    },
    named() {
      return [...this.$root.querySelectorAll("input[data-rule]")].filter((one) => one.value !== "");
    },
    count() {
      this.naming = this.named().length > 0;
    },
    /** Sign the next interaction and wait until the site has sent it; false where the holder has to send it. */
    async relayed(wallet, account) {
      const url = this.$root.dataset.relay;
      if (!url) return false;
      const { count, opens_at: opensAt, typed_data: typed, left } = await request(url);
      if (opensAt) throw new Error(`It may be done again from ${utc(opensAt, "medium")} UTC on.`);
      if (!typed && left === 0) return false;
      if (typed) {
        const signature = await account.signTyped(wallet.forWallets(typed));
        await request(url, { deadline: typed.message.deadline, signature });
      }
      this.said = "Signed. The site sends it …";
      for (let tries = 0; tries < WAITS; tries += 1) {
        const now = await request(url);
        if (now.count > count) return true;
        if (now.sent?.state === "reverted") break;
        await new Promise((done) => setTimeout(done, WAIT_MS));
      }
      this.said = "";
      throw new Error("It is in no block yet, or was refused there. Look again later.");
    },
    /** What the button says: name the position that is typed in for a rule; where there is none, interact. */
    async enter(wallet, account) {
      const { owner, token, evolution, rpcUrl } = this.$root.dataset;
      this.said = "";
      const place = { rpcUrl, chainId: this.chainId };
      if (account.address.toLowerCase() !== owner.toLowerCase())
        throw new Error(`That wallet is ${account.address}; this work is another one's.`);
      const named = this.named();
      if (!named.length && !("interacts" in this.$root.dataset))
        throw new Error(NUMBER);
      if (named.some((one) => !/^\d{1,77}$/.test(one.value))) throw new Error(NUMBER);
      for (const one of named) {
        const args = [BigInt(one.dataset.rule), BigInt(token), BigInt(one.value)];
        await wallet.namePosition(account, place, evolution, args);
      }
      const isSent = !named.length && (await this.relayed(wallet, account));
      if (!named.length && !isSent) await wallet.interact(account, place, evolution, BigInt(token));
      this.said = "Done. The page shows it once the site has read the block.";
      this.show(`?at=${Date.now()}`, NOW);
      setTimeout(() => location.reload(), 4000);
    },
  });
}
