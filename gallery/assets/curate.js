// The curation of a dataset by keys. Pictures are check boxes and buttons submit their form, so that all of
// this works without a script too; here are ranges, arrows, and one key for what is done often.

const ANSWER_MS = 20000; // a request that has no answer by then does not hold up the next key
const VERBS = { a: "accept", r: "reject" };

export function curate() {
  return {
    selected: 0,
    anchor: null,
    focusNext: null,
    folds: {}, // what is folded open or shut by hand stays so
    sending: Promise.resolve(),
    answered: () => {},

    init() {
      this.on = [
        [window, "keydown", (event) => this.press(event)],
        [this.$el, "click", (event) => this.clicked(event)],
        [this.$el, "change", () => this.count()],
        [this.$el, "focusin", (event) => this.remember(event)],
        [document, "htmx:after:swap", () => this.swapped()],
        [document, "htmx:error", () => this.answered()],
      ];
      for (const [target, kind, does] of this.on) target.addEventListener(kind, does);
      this.$el.addEventListener("toggle", ({ target }) => (this.folds[target.id] = target.open), true);
      if (matchMedia("(max-width: 640px)").matches) document.getElementById("coverage").open = false;
      this.count();
    },

    destroy() {
      for (const [target, kind, does] of this.on) target.removeEventListener(kind, does);
    },

    get selectedText() {
      return `${this.selected} selected`;
    },
    get noneSelected() {
      return this.selected === 0;
    },

    boxes() {
      return [...this.$root.querySelectorAll('input[name="place"]')];
    },
    every() {
      return this.$root.querySelector('input[name="every"]');
    },

    press(event) {
      if (event.altKey || this.$refs.shortcuts.open || isTyping(event.target)) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (event.ctrlKey || event.metaKey) {
        if (key === "a" && this.boxes().length) this.does(event, () => this.selectPage());
        return;
      }
      if (event.repeat && (key in VERBS || key === "u")) return event.preventDefault(); // a key held down
      if (key in VERBS) this.does(event, () => this.say(VERBS[key]));
      else if (key === "u") this.does(event, () => this.undo());
      else if (key === "?") this.does(event, () => this.showKeys());
      else if (key === "Escape") this.does(event, () => this.clear());
      else if (key === " " && event.shiftKey && isBox(event.target)) this.does(event, () => this.range(event.target));
      else if (key.startsWith("Arrow")) this.move(event, key);
    },

    does(event, act) {
      event.preventDefault();
      act();
    },

    move(event, key) {
      const boxes = this.boxes();
      const from = boxes.indexOf(document.activeElement);
      if (!boxes.length || (from < 0 && document.activeElement !== document.body)) return;
      event.preventDefault();
      if (from < 0) return boxes[0].focus();
      const to = boxes[from + step(boxes, from, key)];
      if (!to) return;
      if (event.shiftKey) {
        this.anchor ??= boxes[from].value;
        this.range(to);
      }
      to.focus();
    },

    clicked(event) {
      if (!isBox(event.target)) return;
      if (event.shiftKey && this.anchor !== null) this.range(event.target);
      else this.anchor = event.target.value;
    },

    // Everything from the last box that was touched to this one.
    range(to) {
      const boxes = this.boxes();
      const ends = [boxes.findIndex((box) => box.value === this.anchor), boxes.indexOf(to)];
      const [first, last] = ends.sort((a, b) => a - b);
      for (const box of boxes.slice(Math.max(0, first), last + 1)) box.checked = true;
      this.count();
    },

    selectPage() {
      for (const box of this.boxes()) box.checked = true;
      this.count();
    },
    clear() {
      for (const box of this.boxes()) box.checked = false;
      if (this.every()) this.every().checked = false;
      this.anchor = null;
      this.count();
    },
    count() {
      this.selected = this.every()?.checked
        ? Number(this.every().dataset.n)
        : this.boxes().filter((box) => box.checked).length;
    },

    // A key for the selection, else for the picture in focus; then the next one has the focus.
    say(verb) {
      const box = isBox(document.activeElement) ? document.activeElement : null;
      if (this.noneSelected && !box) return;
      const single = this.noneSelected ? box.value : null;
      if (single !== null) {
        const boxes = this.boxes();
        const next = boxes[boxes.indexOf(box) + 1] ?? box;
        next.focus();
      }
      this.queue(() => this.submit(verb, single));
    },
    undo() {
      this.queue(() => this.submit("undo", null));
    },

    // One request after another, so that each knows what the one before has written.
    queue(send) {
      this.sending = this.sending.then(() => this.answer(send));
    },
    answer(send) {
      return new Promise((resolve) => {
        const late = setTimeout(resolve, ANSWER_MS);
        this.answered = () => {
          clearTimeout(late);
          resolve();
        };
        if (!send()) this.answered();
      });
    },
    submit(verb, single) {
      const button = this.$root.querySelector(`[data-verb="${verb}"]`);
      if (!button) return false;
      if (single !== null) for (const box of this.boxes()) box.checked = box.value === single;
      button.form.requestSubmit(button);
      return true;
    },

    remember(event) {
      if (isBox(event.target)) this.focusNext = { place: event.target.value, at: this.boxes().indexOf(event.target) };
    },

    swapped() {
      for (const [id, open] of Object.entries(this.folds)) document.getElementById(id).open = open;
      const part = this.$root.querySelector("#curate-part");
      if (part?.dataset.result === "done") this.clear();
      part?.removeAttribute("data-result");
      this.count();
      this.refocus();
      this.answered();
    },

    // A picture that the filter no longer shows hands the focus to the one in its place.
    refocus() {
      if (document.activeElement !== document.body || !this.focusNext) return;
      const boxes = this.boxes();
      const same = boxes.find((box) => box.value === this.focusNext.place);
      (same ?? boxes[Math.min(this.focusNext.at, boxes.length - 1)])?.focus();
    },

    showKeys() {
      this.$refs.shortcuts.showModal();
    },
  };
}

function isBox(target) {
  return Boolean(target?.matches?.('input[name="place"]'));
}

function isTyping(target) {
  return target.matches?.('input:not([type="checkbox"]), select, textarea') ?? false;
}

// How many boxes further an arrow goes: pictures of one row stand at the same height.
function step(boxes, from, key) {
  if (key === "ArrowRight") return 1;
  if (key === "ArrowLeft") return -1;
  const middle = (box) => box.closest("li").getBoundingClientRect();
  const { left, top } = middle(boxes[from]);
  const way = key === "ArrowDown" ? 1 : -1;
  for (let at = from + way; at >= 0 && at < boxes.length; at += way) {
    const place = middle(boxes[at]);
    if ((place.top - top) * way > 1 && Math.abs(place.left - left) < place.width / 2) return at - from;
  }
  return 0;
}
