// A work in three dimensions. The viewer is larger than all other scripts together: it loads when somebody asks for it.

const NO_WEBGL = "This browser has no WebGL 2, which the view needs. The files below open elsewhere.";
const TURN = "Drag it, or use the arrow keys, to turn it.";

export function solid() {
  return {
    shape: "card",
    stage: "closed",
    says: "",
    message: "",
    failures: 0,
    sizes: { card: "", relief: "" },

    get failed() {
      return this.message !== "";
    },
    get isClosed() {
      return this.stage === "closed";
    },
    get isOpen() {
      return this.stage !== "closed";
    },
    get busy() {
      return String(this.stage === "loading");
    },
    get cardSize() {
      return this.sizes.card;
    },
    get reliefSize() {
      return this.sizes.relief;
    },

    choose(event) {
      this.shape = event.target.value;
      if (this.viewer) this.show();
    },

    async open() {
      if (!document.createElement("canvas").getContext("webgl2")) {
        this.message = NO_WEBGL;
        return;
      }
      this.stage = "loading";
      this.says = "Loading the viewer…";
      this.message = "";
      this.measure();
      try {
        await import("@google/model-viewer");
        this.viewer = this.place();
        this.show();
      } catch {
        this.fail("The viewer could not be loaded.");
      }
    },

    place() {
      const viewer = document.createElement("model-viewer");
      const about = { "camera-controls": "", "disable-zoom": "", "touch-action": "pan-y" };
      about["interaction-prompt"] = "none";
      about["camera-orbit"] = "-28deg 76deg auto";
      about.loading = "eager";
      for (const [name, value] of Object.entries(about)) viewer.setAttribute(name, value);
      viewer.append(this.$refs.poster.content.cloneNode(true));
      viewer.addEventListener("load", () => {
        this.stage = "shown";
        this.says = TURN;
      });
      // What takes the keys is inside; the button that had them is gone.
      const inside = () => viewer.shadowRoot.querySelector("[tabindex='0']").focus();
      viewer.addEventListener("poster-dismissed", inside, { once: true });
      viewer.addEventListener("error", () => this.fail(`The ${this.shape} could not be shown.`));
      this.$refs.stage.replaceChildren(viewer);
      return viewer;
    },

    show() {
      const { alt, ...addresses } = this.$root.dataset;
      this.stage = "loading";
      this.says = `Loading the ${this.shape}…`;
      this.message = "";
      this.viewer.alt = `${this.shape}: ${alt}`;
      // The viewer keeps what it got of an address, failures too: another try needs another address.
      this.viewer.src = addresses[this.shape] + (this.failures ? `?${this.failures}` : "");
    },

    fail(message) {
      this.failures += 1;
      this.viewer?.remove();
      this.viewer = undefined;
      this.stage = "closed";
      this.says = "";
      this.message = `${message} The files below open elsewhere.`;
    },

    async measure() {
      for (const shape of ["card", "relief"]) {
        const reply = await fetch(this.$root.dataset[shape], { method: "HEAD" }).catch(() => null);
        if (reply?.ok) this.sizes[shape] = ` ${Math.ceil(reply.headers.get("Content-Length") / 1000)} kB`;
      }
    },
  };
}
