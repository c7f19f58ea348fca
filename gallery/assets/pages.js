// Small things of single pages: arrows on a work page, the link to copy, and a word when the server is silent.

const TYPING = "input, select, textarea, [contenteditable], [tabindex], model-viewer";

/** Arrow keys follow the links to the previous and the next work. */
export function pageKeys() {
  return {
    init() {
      this.onKey = (event) => this.key(event);
      addEventListener("keydown", this.onKey);
    },

    destroy() {
      removeEventListener("keydown", this.onKey);
    },

    key(event) {
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.target.closest(TYPING)) return;
      const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
      const link = rel && this.$root.querySelector(`a[rel="${rel}"]`);
      if (link) link.click();
    },
  };
}

export function share() {
  return {
    label: "Copy the link",
    async copy() {
      try {
        await navigator.clipboard.writeText(this.$root.dataset.url);
        this.label = "Copied";
      } catch {
        this.label = this.$root.dataset.url;
      }
    },
  };
}

/** A morph changes what a box's default is, not whether it is checked once somebody has touched it. */
export function followFilters() {
  document.addEventListener("htmx:after:swap", () => {
    const fields = document.getElementById("catalogue")?.elements ?? [];
    for (const field of fields) {
      if (field.type === "checkbox") field.checked = field.defaultChecked;
      if (field.tagName === "SELECT") for (const option of field.options) option.selected = option.defaultSelected;
    }
  });
}

/** htmx says when a request got no answer; the page keeps what it shows. */
export function watchRequests() {
  const note = document.getElementById("silence");
  if (!note) return;
  document.addEventListener("htmx:error", () => (note.hidden = false));
  document.addEventListener("htmx:after:request", () => (note.hidden = true));
}
