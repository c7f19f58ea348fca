// The curators' grid: arrows move, A accepts, R rejects, U takes a decision back.

const KEYS = { a: "accepted", r: "rejected", u: "pending" };

export function board() {
  return {
    init() {
      this.onKey = (event) => this.key(event);
      addEventListener("keydown", this.onKey);
    },

    destroy() {
      removeEventListener("keydown", this.onKey);
    },

    key(event) {
      const tile = document.activeElement?.closest("[data-work]");
      if (!tile || event.altKey || event.ctrlKey || event.metaKey) return;
      const status = KEYS[event.key.toLowerCase()];
      if (status) {
        tile.querySelector(`button[value="${status}"]`)?.click();
        this.move(tile, 1);
      } else if (event.key === "ArrowRight") this.move(tile, 1);
      else if (event.key === "ArrowLeft") this.move(tile, -1);
      else return;
      event.preventDefault();
    },

    move(tile, step) {
      const tiles = [...document.querySelectorAll("[data-work]")];
      tiles[tiles.indexOf(tile) + step]?.focus();
    },
  };
}
