// A training run: what is shown follows the database, and the curves grow with it.
import { live } from "./live.js";

export function run() {
  return {
    ...live(),

    // An interval may bring charts, the first one does; only a whole page has their places.
    grown() {
      const wanted = Number(document.getElementById("run").dataset.charts);
      if (wanted !== this.$root.querySelectorAll("[data-chart]").length) return location.reload();
      this.$root.querySelector("[data-redraw]")?.dispatchEvent(new CustomEvent("redraw"));
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
