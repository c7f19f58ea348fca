// The queue of comments by keys. Boxes and buttons are those of a form, which works without a script.

const KEYS = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

export function moderate() {
  return {
    ticked: 0,

    init() {
      this.press = this.press.bind(this);
      window.addEventListener("keydown", this.press);
      this.$el.addEventListener("change", () => this.count());
      this.count(); // a page that is gone back to keeps its ticks
    },

    destroy() {
      window.removeEventListener("keydown", this.press);
    },

    get tickedText() {
      return `${this.ticked} ticked`;
    },

    boxes() {
      return [...this.$root.querySelectorAll('input[name="comment"]')];
    },

    count() {
      this.ticked = this.boxes().filter((box) => box.checked).length;
    },

    press(event) {
      if (event.altKey || event.ctrlKey || event.metaKey || event.repeat && !(event.key in KEYS)) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (key in KEYS) this.move(KEYS[key]);
      else if (key === "h") this.say(this.$refs.hide);
      else if (key === "s") this.say(this.$refs.show);
      else if (key === "a") this.all();
      else return;
      event.preventDefault();
    },

    move(by) {
      const boxes = this.boxes();
      const at = boxes.indexOf(document.activeElement);
      boxes[at < 0 ? 0 : Math.min(boxes.length - 1, Math.max(0, at + by))].focus();
    },

    // What is ticked, or else the one in focus.
    say(button) {
      const box = document.activeElement;
      if (!this.ticked && this.boxes().includes(box)) box.checked = true;
      this.$root.requestSubmit(button);
    },

    all() {
      const boxes = this.boxes();
      const every = boxes.every((box) => box.checked);
      for (const box of boxes) box.checked = !every;
      this.count();
    },
  };
}
