// Pictures that the preview worker draws while the page is open: what did not come is asked for again.
const AGAIN_MS = 2500;
const TRIES = 8;

export function sheet() {
  return {
    images: [], // declared, since Alpine keeps what is not with the outermost component, for all sheets
    waiting: false,
    failed: false,

    init() {
      this.images = [...this.$root.querySelectorAll("img")];
      for (const image of this.images) {
        image.tries = 0;
        image.addEventListener("load", () => this.look());
        image.addEventListener("error", () => this.missed(image));
        if (image.complete && !image.naturalWidth) this.missed(image);
      }
      this.look();
    },

    destroy() {
      for (const image of this.images) clearTimeout(image.timer);
    },

    look() {
      this.waiting = !this.failed && this.images.some((image) => !image.complete || !image.naturalWidth);
    },

    missed(image) {
      image.tries += 1;
      this.failed = image.tries > TRIES;
      this.look();
      if (!this.failed) image.timer = setTimeout(() => this.ask(image), AGAIN_MS);
    },

    ask(image) {
      const url = new URL(image.src);
      url.searchParams.set("try", image.tries);
      image.src = url;
    },

    again() {
      this.failed = false;
      for (const image of this.images.filter((image) => !image.naturalWidth)) {
        image.tries = 0;
        this.ask(image);
      }
      this.look();
    },
  };
}
