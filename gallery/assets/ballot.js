// One pair after another: click, arrow keys or a swipe chooses; U takes the last choice back.
//
// A choice waits before it is sent, so that it can be taken back. It is sent when its time is up, when
// the next one is made, and when the page is left; until the server has it, it is also in the session's
// storage, so a reload or a lost connection loses nothing. Sending twice counts once: the server knows
// a pair that was decided.
//
// Where the voter wants it, each choice is signed by their wallet before it waits here.
import { ApiError, request } from "./api.js";
import { signVote } from "./sign.js";

const UNDO_MS = 6000;
const SWIPE_PX = 56;
const SLACK_PX = 10;
const GOAL_MS = 7000;
const MOST_PAIRS = 20; // that the server leaves out when asked

export function ballot() {
  return {
    loading: true,
    message: "",
    finished: false,
    pair: null,
    upcoming: null,
    sent: 0,
    outbox: [],
    decided: new Set(), // pairs chosen on this page: one fetched ahead may be among them
    chosen: "",
    timer: null,
    sending: null,
    swipe: null,
    celebrating: false,
    signs: false,
    unsigned: "", // why a choice was not taken

    init() {
      this.goal = Number(this.$el.dataset.goal);
      this.earlier = Number(this.$el.dataset.earlier);
      this.sent = Number(this.$el.dataset.votes);
      this.key = `votes:${this.$el.dataset.round}:${this.$el.dataset.voter}`;
      this.signKey = `sign-votes:${this.$el.dataset.voter}`;
      this.signs = localStorage.getItem(this.signKey) === "yes";
      this.outbox = JSON.parse(sessionStorage.getItem(this.key) || "[]");
      this.decided = new Set(this.outbox.map((vote) => pairKey(vote.pair)));
      this.onKey = (event) => this.press(event);
      this.onLeave = () => this.leave();
      addEventListener("keydown", this.onKey);
      addEventListener("pagehide", this.onLeave);
      this.flush().then(() => this.next());
    },

    destroy() {
      removeEventListener("keydown", this.onKey);
      removeEventListener("pagehide", this.onLeave);
      this.leave();
    },

    get ready() {
      return Boolean(this.pair) && !this.finished;
    },
    get failed() {
      return this.message !== "";
    },
    get isUnsigned() {
      return this.unsigned !== "";
    },
    get isAsking() {
      return this.signs && this.waiting;
    },
    get canUndo() {
      return this.outbox.length > 0 && !this.sending;
    },
    get waiting() {
      return this.chosen !== "";
    },
    get leftImage() {
      return this.pair?.left.image;
    },
    get rightImage() {
      return this.pair?.right.image;
    },
    get leftName() {
      return this.pair ? `Choose the left work, number ${this.pair.left.index}` : "";
    },
    get rightName() {
      return this.pair ? `Choose the right work, number ${this.pair.right.index}` : "";
    },
    get leftClass() {
      return this.chosen === "left" ? "chosen" : "";
    },
    get rightClass() {
      return this.chosen === "right" ? "chosen" : "";
    },
    get opening() {
      return this.loading && !this.pair;
    },
    get decidedHere() {
      return this.sent + this.outbox.length;
    },
    get count() {
      const n = this.decidedHere;
      return n === 1 ? "1 vote" : `${n} votes`;
    },
    get goalValue() {
      return Math.min(this.decidedHere, this.goal);
    },
    get goalText() {
      return this.decidedHere < this.goal ? `${this.decidedHere} of ${this.goal}` : "as many as you like";
    },
    get goalClass() {
      return this.decidedHere < this.goal ? "" : "reached";
    },
    // Rounds in a row: this one counts from its first vote on.
    get streakText() {
      if (!this.earlier) return "";
      const n = this.earlier + 1;
      return this.decidedHere ? `${n} rounds in a row` : `vote for ${n} in a row`;
    },

    // Shows the pair that was fetched ahead, or fetches one, and fetches the following one ahead.
    async next() {
      this.loading = true;
      this.message = "";
      try {
        const ahead = await this.upcoming;
        this.upcoming = null;
        this.show(ahead && !this.isDecided(ahead) ? ahead : await this.fetchPair());
      } catch (error) {
        this.message = error.message;
      }
      this.loading = false;
    },

    // The server does not know of choices that wait here, so it is told which pairs they are about.
    fetchPair(...others) {
      const here = [...this.outbox.map((vote) => vote.pair), ...others];
      const without = here.slice(-MOST_PAIRS).map((pair) => pairKey(pair, "-")).join();
      return request(`${this.$root.dataset.round}/pair${without && `?without=${without}`}`);
    },

    show(pair) {
      this.pair = pair;
      this.finished = pair === null;
      this.chosen = "";
      if (!pair) return;
      this.upcoming = this.fetchPair(pair)
        .then((ahead) => {
          for (const work of ahead ? [ahead.left, ahead.right] : []) new Image().src = work.image;
          return ahead;
        })
        .catch(() => null);
    },

    isDecided(pair) {
      return this.decided.has(pairKey(pair));
    },

    left() {
      return this.choose("left");
    },
    right() {
      return this.choose("right");
    },
    skip() {
      return this.next();
    },

    toggleSigning() {
      this.signs = !this.signs;
      this.unsigned = "";
      localStorage.setItem(this.signKey, this.signs ? "yes" : "no");
    },

    async choose(side) {
      if (!this.pair || this.chosen || this.swipe?.moved || this.isDecided(this.pair)) return;
      const { pair } = this;
      const body = { left: pair.left.id, right: pair.right.id, winner: pair[side].id };
      this.chosen = side;
      if (this.signs && !(await this.sign(body, pair, side))) return;
      const earlier = this.outbox.length;
      this.outbox.push({ pair, body });
      this.decided.add(pairKey(pair));
      this.store();
      if (this.decidedHere === this.goal) this.celebrate();
      if (earlier) await this.flush(earlier);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.flush(), UNDO_MS);
      if (!this.failed) await this.next();
    },

    // A choice that the wallet does not sign is not taken: the pair stays.
    async sign(body, pair, side) {
      this.unsigned = "";
      try {
        body.signature = await signVote(this.$root.dataset, pair, side);
        return true;
      } catch (error) {
        const why = error.code === 4001 ? "The wallet declined." : error.shortMessage || error.message;
        this.unsigned = `Not signed, not counted. ${why}`;
        this.chosen = "";
        return false;
      }
    },

    // Beside the pair, not in its way: the next choice can be made at once.
    celebrate() {
      this.celebrating = true;
      setTimeout(() => (this.celebrating = false), GOAL_MS);
    },

    undo() {
      if (!this.canUndo) return;
      clearTimeout(this.timer);
      const vote = this.outbox.pop();
      this.decided.delete(pairKey(vote.pair));
      this.store();
      this.message = "";
      this.upcoming = Promise.resolve(this.pair);
      this.pair = vote.pair;
      this.finished = false;
      this.chosen = "";
    },

    // Sends the first n waiting votes, in their order, one at a time; a vote leaves once it is a row.
    async flush(n = this.outbox.length) {
      await this.sending;
      clearTimeout(this.timer);
      this.sending = this.send(n);
      try {
        await this.sending;
      } finally {
        this.sending = null;
      }
    },

    async send(n) {
      for (; n > 0 && this.outbox.length; n--) {
        try {
          await request(`${this.$root.dataset.round}/votes`, this.outbox[0].body);
          this.sent += 1;
        } catch (error) {
          if (error.code === "bad_signature") {
            this.unsigned = error.message;
            this.decided.delete(pairKey(this.outbox[0].pair));
          } else if (!(error instanceof ApiError) || error.code !== "already_voted") {
            this.message = `${error.message} Your vote is kept.`;
            this.chosen = "";
            return;
          }
        }
        this.outbox.shift();
        this.store();
      }
    },

    async retry() {
      this.message = "";
      await this.flush();
      if (!this.failed) await this.next();
    },

    // A page that goes away cannot wait for replies: what is still here goes out and stays stored. What
    // is on its way goes out again, since the browser may drop it; the server counts a pair once.
    leave() {
      clearTimeout(this.timer);
      for (const { body } of this.outbox) {
        request(`${this.$root.dataset.round}/votes`, body, { keepalive: true }).catch(() => null);
      }
    },

    store() {
      if (this.outbox.length) sessionStorage.setItem(this.key, JSON.stringify(this.outbox));
      else sessionStorage.removeItem(this.key);
    },

    grab(event) {
      if (event.pointerType === "mouse" || !this.pair) return;
      this.swipe = { x: event.clientX, moved: false };
    },

    drag(event) {
      if (!this.swipe) return;
      const dx = event.clientX - this.swipe.x;
      if (Math.abs(dx) > SLACK_PX) this.swipe.moved = true;
      this.lean(dx);
    },

    drop(event) {
      if (!this.swipe) return;
      const dx = event.clientX - this.swipe.x;
      const swiped = this.swipe.moved;
      this.lean(0);
      // The click that follows a swipe comes before this timer, and is not a choice.
      setTimeout(() => (this.swipe = null), 0);
      if (!swiped || Math.abs(dx) < SWIPE_PX) return;
      this.swipe = null;
      this.choose(dx < 0 ? "left" : "right");
    },

    release() {
      this.swipe = null;
      this.lean(0);
    },

    lean(dx) {
      const pair = this.$refs.pair;
      pair.style.transform = dx ? `translateX(${Math.max(-60, Math.min(60, dx / 2))}px)` : "";
      pair.classList.toggle("to-left", dx < -SWIPE_PX);
      pair.classList.toggle("to-right", dx > SWIPE_PX);
    },

    press(event) {
      if (event.altKey || event.ctrlKey || event.metaKey || event.repeat) return;
      if (document.querySelector(":popover-open")) return;
      const action = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "skip", u: "undo", U: "undo" }[event.key];
      if (!action) return;
      event.preventDefault();
      this[action]();
    },
  };
}

function pairKey(pair, between = ",") {
  return [pair.left.id, pair.right.id].sort((a, b) => a - b).join(between);
}
