// One pair after another: click, arrow keys, or skip with the down arrow.
import { request } from "./api.js";

export function ballot() {
  return {
    loading: true,
    message: "",
    finished: false,
    pair: null,
    n: 0,
    chosen: "",
    busy: false,

    init() {
      this.n = Number(this.$el.dataset.votes);
      this.onKey = (event) => this.key(event);
      addEventListener("keydown", this.onKey);
      this.next();
    },

    destroy() {
      removeEventListener("keydown", this.onKey);
    },

    get ready() {
      return Boolean(this.pair) && !this.finished;
    },
    get failed() {
      return this.message !== "";
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
    get count() {
      return this.n === 1 ? "1 vote" : `${this.n} votes`;
    },

    async next() {
      this.loading = true;
      this.message = "";
      try {
        const pair = await request(`${this.$root.dataset.round}/pair`);
        this.finished = pair === null;
        this.pair = pair;
      } catch (error) {
        this.message = error.message;
      }
      this.loading = false;
      this.chosen = "";
    },

    left() {
      return this.choose("left");
    },
    right() {
      return this.choose("right");
    },

    async choose(side) {
      if (this.busy || !this.pair) return;
      this.busy = true;
      this.chosen = side;
      const { left, right } = this.pair;
      try {
        const winner = side === "left" ? left.id : right.id;
        await request(`${this.$root.dataset.round}/votes`, { left: left.id, right: right.id, winner });
        await this.next();
        this.busy = false;
        this.n += 1;
      } catch (error) {
        if (error.code === "already_voted") await this.next();
        else this.message = error.message;
        this.chosen = "";
      } finally {
        this.busy = false;
      }
    },

    key(event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "ArrowLeft") this.left();
      else if (event.key === "ArrowRight") this.right();
      else if (event.key === "ArrowDown") this.next();
      else return;
      event.preventDefault();
    },
  };
}
