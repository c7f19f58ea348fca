// A training run: what is shown follows the database, and the curves grow with it.
import { live } from "./live.js";

export function run() {
  return {
    ...live(),

    // The first interval brings the charts themselves, which only a whole page has.
    grown() {
      const points = Number(document.getElementById("run").dataset.points || 0);
      const charts = this.$root.querySelector("[data-redraw]");
      if (points && !charts) location.reload();
      charts?.dispatchEvent(new CustomEvent("redraw"));
    },

    init() {
      live().init.call(this);
      this.onSettled = () => this.grown();
      document.addEventListener("htmx:after:swap", this.onSettled);
    },

    destroy() {
      document.removeEventListener("htmx:after:swap", this.onSettled);
      live().destroy.call(this);
    },
  };
}
