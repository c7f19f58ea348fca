// Thumbs up or down on a work: pressed again, it is taken back. The page shows what the server has kept.
import { request } from "./api.js";

export function opinion() {
  return {
    own: null,
    counts: "",
    busy: false,
    message: "",

    init() {
      const said = this.$root.dataset.own;
      this.own = said === "" ? null : said === "up";
      this.counts = this.$root.dataset.counts;
    },

    get failed() {
      return this.message !== "";
    },
    get up() {
      return String(this.own === true);
    },
    get down() {
      return String(this.own === false);
    },

    like() {
      return this.say(this.own === true ? null : true);
    },
    dislike() {
      return this.say(this.own === false ? null : false);
    },

    async say(liked) {
      if (this.busy) return;
      this.busy = true;
      this.message = "";
      try {
        const kept = await request(this.$root.dataset.url, { liked }, { method: "PUT" });
        this.own = kept.own;
        this.counts = kept.own === null ? "" : `${kept.liked} like it, ${kept.disliked} do not`;
      } catch (error) {
        this.message = error.message;
      }
      this.busy = false;
    },
  };
}
