// Latent refinement. The form is the look; its query is the address of the page and of the pictures. One
// question is out at a time: where a slider has moved on meanwhile, only its newest place is asked for next.
// The work itself comes first, then the row of other seeds, then the strip.
import { ApiError } from "./api.js";

const AGAIN_MS = 2500;
const LIMIT_MS = 30000;
const SOON_MS = 250; // an answer that takes longer dims the picture,
const LONG_MS = 1500; // and one that takes this long is announced in words
const LOADING = "Drawing. The first picture takes longest: the preview worker loads its network.";

export function refine() {
  return {
    drawing: false,
    stale: false,

    init() {
      this.form = document.getElementById("look");
      this.urls = {};
      this.known = document.getElementById("searches").dataset.known;
      this.shownEffect = this.strip();
      this.on = [
        [document, "input", (event) => this.typed(event)],
        [document, "change", (event) => this.typed(event)],
        [this.form, "submit", (event) => this.submitted(event)],
        [this.form, "dblclick", (event) => event.target.type === "range" && this.reset(event.target)],
        [this.form, "click", (event) => this.clicked(event)],
        [document.getElementById("row"), "click", (event) => this.chosen(event)],
        [document, "htmx:after:swap", () => this.swapped()],
        [document.getElementById("show-fresh"), "click", (event) => this.reload(event)],
        [window, "popstate", () => location.reload()],
      ];
      for (const [target, kind, does] of this.on) target.addEventListener(kind, does);
      for (const range of this.form.querySelectorAll("input[type=range]")) say(range);
      if (!this.$root.dataset.problem) this.watchFirst();
    },

    destroy() {
      for (const [target, kind, does] of this.on) target.removeEventListener(kind, does);
      clearTimeout(this.again);
    },

    /** The page came with its pictures; if the worker was not there yet, ask again and say why. */
    watchFirst() {
      const one = document.getElementById("one");
      if (one.complete) {
        if (!one.naturalWidth) this.changed();
        return;
      }
      const timers = this.announce();
      one.addEventListener("load", () => this.arrived(timers), { once: true });
      one.addEventListener("error", () => this.arrived(timers) ?? this.changed(), { once: true });
    },

    /** A search has found something, or a combination has been measured: only a whole page has their sliders. */
    swapped() {
      document.getElementById("fresh").hidden = document.getElementById("searches").dataset.known === this.known;
    },

    reload(event) {
      event.preventDefault();
      location.reload();
    },

    typed(event) {
      if (event.target.form !== this.form || !event.target.name) return;
      if (event.target.type === "range") say(event.target);
      this.changed();
    },

    submitted(event) {
      event.preventDefault();
      this.changed();
    },

    clicked(event) {
      const { id, dataset } = event.target;
      if (dataset.reset) this.reset(document.getElementById(dataset.reset));
      else if (id === "another") this.put("seed", anySeed());
      else if (id === "another-mix") this.mixAnother();
      else if (id === "reset-all") this.resetAll();
    },

    chosen(event) {
      const link = event.target.closest("[data-seed]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.put("seed", link.dataset.seed);
    },

    mixAnother() {
      const from = this.form.elements.from;
      if (from.value === from.max) {
        from.value = Math.floor(from.max / 2);
        say(from);
      }
      this.put("mix", anySeed());
    },

    put(name, value) {
      this.form.elements[name].value = value;
      this.changed();
    },

    reset(range) {
      range.value = range.dataset.default;
      say(range);
      this.changed();
    },

    resetAll() {
      for (const field of this.form.elements) {
        if (field.name === "seed" || field.name === "strip" || field.dataset.default === undefined) continue;
        field.value = field.dataset.default;
        if (field.type === "range") say(field);
      }
      this.changed();
    },

    strip() {
      return this.form.elements.strip?.value ?? "";
    },

    /** The look as an address; what is as it always is does not appear. */
    query() {
      const mixed = this.form.elements.mix.value !== "";
      const said = new URLSearchParams();
      for (const field of this.form.elements) {
        if (!field.name || field.dataset.default === undefined) continue;
        if (field.name === "from" ? mixed : field.value !== field.dataset.default) said.set(field.name, field.value);
      }
      return said.toString().replaceAll("%3A", ":");
    },

    changed() {
      if (!this.form.checkValidity()) return;
      const query = this.query();
      history.replaceState(null, "", `?${query}`);
      for (const field of document.querySelectorAll("[data-query]")) field.value = query;
      this.stale = true;
      this.draw();
    },

    async draw() {
      if (this.drawing) return;
      this.drawing = true;
      clearTimeout(this.again);
      try {
        while (this.stale) {
          this.stale = false;
          await this.drawLook(this.query());
        }
        this.told("");
      } catch (error) {
        this.failed(error);
      }
      this.drawing = false;
    },

    async drawLook(query) {
      const started = performance.now();
      show("one", await this.picture(query, "one"));
      document.getElementById("took").textContent = `${Math.round(performance.now() - started)} ms`;
      this.name();
      if (!this.stale) await this.drawRow(query);
      if (!this.stale && this.strip()) await this.drawStrip(query);
    },

    async drawRow(query) {
      const url = await this.picture(query, "row");
      for (const image of document.querySelectorAll("#row img")) image.src = url;
    },

    async drawStrip(query) {
      show("strip", await this.picture(query, "strip"));
      const strip = this.strip();
      document.getElementById("strip").alt = `The same work with ${strip} at -3, -2, -1, 0, 1, 2 and 3`;
      if (strip === this.shownEffect) return;
      const reply = await fetch(`${this.$root.dataset.effect}?${new URLSearchParams({ strip })}`);
      if (!reply.ok) return;
      document.getElementById("effect").innerHTML = await reply.text();
      this.shownEffect = strip;
    },

    /** Seeds in words and links. */
    name() {
      const seed = Number(this.form.elements.seed.value);
      document.getElementById("seed-shown").textContent = seed;
      document.getElementById("one").alt = `The work of seed ${seed} as the sliders are`;
      document.querySelectorAll("#row a").forEach((link, k) => {
        const other = seed + 1 + k;
        link.dataset.seed = other;
        link.href = `?${new URLSearchParams({ ...Object.fromEntries(new URLSearchParams(this.query())), seed: other })}`;
        link.querySelector("img").alt = `Seed ${other}`;
      });
    },

    /** The address of a picture in memory; the one it takes the place of is given up. */
    async picture(query, view) {
      const timers = this.announce();
      try {
        const blob = await fetched(`${this.$root.dataset.preview}&${query}&view=${view}`);
        const former = this.urls[view];
        if (former) setTimeout(() => URL.revokeObjectURL(former), 1000);
        return (this.urls[view] = URL.createObjectURL(blob));
      } finally {
        this.arrived(timers);
      }
    },

    announce() {
      return [
        setTimeout(() => this.$root.classList.add("is-drawing"), SOON_MS),
        setTimeout(() => (document.getElementById("waiting").textContent = LOADING), LONG_MS),
      ];
    },

    arrived(timers) {
      for (const timer of timers) clearTimeout(timer);
      this.$root.classList.remove("is-drawing");
      document.getElementById("waiting").textContent = "";
    },

    failed(error) {
      this.told(error.message);
      if (![400, 403, 422].includes(error.status)) {
        this.stale = true;
        this.again = setTimeout(() => this.draw(), AGAIN_MS);
      }
    },

    told(message) {
      const said = document.getElementById("said");
      said.textContent = message;
      said.hidden = message === "";
      for (const id of ["big", "row", "strip-figure"]) {
        const part = document.getElementById(id);
        if (part && !message) part.hidden = false;
      }
    },
  };
}

async function fetched(url) {
  let reply;
  try {
    reply = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS), headers: { Accept: "*/*" } });
  } catch {
    throw new ApiError(0, { detail: "The server does not answer. The page tries again by itself." });
  }
  if (!reply.ok) throw new ApiError(reply.status, await reply.json().catch(() => ({})));
  return reply.blob();
}

function show(id, url) {
  document.getElementById(id).src = url;
}

function say(range) {
  range.parentElement.querySelector("output").textContent = String(Number(range.value));
}

function anySeed() {
  return Math.floor(Math.random() * 2 ** 31);
}
