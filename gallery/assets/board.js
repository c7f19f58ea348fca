// The curation board. Keys and buttons decide about works; the server keeps who decided what, and every
// decision says which earlier one it knows, so that nobody overrules somebody unseen. What is shown comes
// from the server again after each change, of this page's curator or another one's.
import { ApiError, request } from "./api.js";
import { live } from "./live.js";

const WISHES = { a: "accepted", r: "rejected" };
const SWIPE_PX = 70;
const SLACK_PX = 10;
const UNDO_DEPTH = 50;
const FORGET_MS = 30000; // three silent heartbeats

export function board() {
  const following = live();
  return {
    ...following,
    message: "",
    signedOut: false,
    news: "",
    here: {}, // place -> who and when last heard of
    selection: {}, // id -> {index, status, seen}
    anchor: null,
    done: [], // batches that can be taken back
    sending: Promise.resolve(),
    swipe: null,
    focusNext: null,

    init() {
      this.key = `board:${this.$el.dataset.drop}:${this.$el.dataset.me}`;
      this.done = JSON.parse(sessionStorage.getItem(this.key) || "[]");
      this.on = [
        [window, "keydown", (event) => this.press(event)],
        [this.$el, "click", (event) => this.clicked(event)],
        [this.$el, "pointerdown", (event) => this.grab(event)],
        [this.$el, "pointermove", (event) => this.drag(event)],
        [this.$el, "pointerup", (event) => this.drop(event)],
        [this.$el, "pointercancel", () => this.release()],
        [document, "htmx:after:swap", (event) => this.swapped(event)],
        [document, "htmx:before:request", () => this.remember()],
      ];
      for (const [target, kind, does] of this.on) target.addEventListener(kind, does);
      this.ageing = setInterval(() => this.forget(), FORGET_MS / 3);
      following.init.call(this);
    },

    destroy() {
      for (const [target, kind, does] of this.on) target.removeEventListener(kind, does);
      clearInterval(this.ageing);
      following.destroy.call(this);
    },

    heard(event) {
      if (event.kind === "here") this.here[event.place] = { who: event.who, at: Date.now() };
      else if (event.kind === "left") delete this.here[event.place];
      else {
        if (event.kind === "decided" && event.by !== this.$root.dataset.me) this.news = told(event);
        this.refresh();
      }
    },

    forget() {
      for (const [place, { at }] of Object.entries(this.here)) {
        if (Date.now() - at > FORGET_MS) delete this.here[place];
      }
    },

    get present() {
      const names = new Set(Object.values(this.here).map(({ who }) => who));
      names.delete(this.$root.dataset.me);
      return ["you", ...[...names].sort()].join(", ");
    },
    get failed() {
      return this.message !== "";
    },
    get canUndo() {
      return this.done.length > 0;
    },
    get undoName() {
      const last = this.done.at(-1);
      if (!last) return "";
      return last.length === 1 ? `#${last[0].index}` : `${last.length} works`;
    },
    get selected() {
      return Object.keys(this.selection).length;
    },
    get noneSelected() {
      return this.selected === 0;
    },
    get selectedText() {
      return `${this.selected} selected`;
    },

    tiles() {
      return [...this.$root.querySelectorAll("ul.board [data-work], [data-single] .work[data-work]")];
    },
    single() {
      return this.$root.querySelector("[data-single]");
    },
    current() {
      return this.single()?.querySelector(".single-work [data-work]") ?? document.activeElement?.closest("[data-work]");
    },

    press(event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (this.$refs.shortcuts.open || event.target.closest("input, select, textarea")) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (this.act(key, event)) event.preventDefault();
    },

    act(key, event) {
      if (key in WISHES) return this.wish(WISHES[key]);
      if (key === "b") return this.back(), true;
      if (key === "u") return this.undo(), true;
      if (key === "?") return this.showKeys(), true;
      if (this.single()) {
        const link = this.single().querySelector(`a[data-key="${key}"]`);
        link?.click();
        return Boolean(link);
      }
      if (key === "x") return this.pick(this.current(), event.shiftKey);
      if (key === "Escape") return this.clear(), true;
      if (key === "Enter" && event.target.closest("[data-work]") === event.target) return true;
      return key.startsWith("Arrow") && this.move(key, event.shiftKey);
    },

    // A decision about the selection, else about the work in view or in focus; the next one follows.
    wish(status) {
      if (this.selected && !this.single()) {
        this.decide(Object.values(this.selection), status);
        this.clear();
        return true;
      }
      const tile = this.current();
      if (!tile) return false;
      this.decide([fact(tile)], status);
      this.advance(tile);
      return true;
    },
    accept() {
      this.wish("accepted");
    },
    reject() {
      this.wish("rejected");
    },

    // Works drawn again: no undo, since the log keeps what they were and the next picture can be sent back.
    back() {
      const chosen = this.selected && !this.single() ? Object.values(this.selection) : [this.current()].filter(Boolean).map(fact);
      const works = chosen.filter(({ status }) => status !== "duplicate").map(({ id, seen }) => ({ id, seen }));
      if (!works.length) return;
      this.clear();
      this.sending = this.sending.then(() =>
        this.attempt(async () => {
          const { asked } = await request(this.$root.dataset.back, { works });
          this.news = asked === 1 ? "1 work is being drawn again." : `${asked} works are being drawn again.`;
        }),
      );
    },

    advance(tile) {
      if (this.single()) return this.sending.then(() => this.single()?.querySelector('a[data-key="ArrowRight"]')?.click());
      const tiles = this.tiles();
      focus(tiles[tiles.indexOf(tile) + 1]);
    },

    move(key, extend) {
      const tiles = this.tiles();
      const from = tiles.indexOf(this.current());
      if (from < 0) return focus(tiles[0]);
      const columns = tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length || 1;
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[key];
      const to = tiles[from + step];
      if (to && extend) this.range(tiles[from], to);
      return focus(to);
    },

    pick(tile, extend) {
      if (!tile?.dataset.seen || tile.dataset.status === "duplicate") return false;
      if (extend && this.anchor) this.range(this.$root.querySelector(`#tile-${this.anchor}`) ?? tile, tile);
      else if (this.selection[tile.dataset.work]) delete this.selection[tile.dataset.work];
      else this.selection[tile.dataset.work] = fact(tile);
      this.anchor = tile.dataset.work;
      this.mark();
      return true;
    },

    range(from, to) {
      const tiles = this.tiles();
      const [first, last] = [tiles.indexOf(from), tiles.indexOf(to)].sort((a, b) => a - b);
      this.choose(tiles.slice(Math.max(0, first), last + 1).map(fact));
    },

    choose(facts) {
      for (const one of facts) if (one.status !== "duplicate") this.selection[one.id] = one;
      this.mark();
    },
    selectPage() {
      this.choose(this.tiles().map(fact));
    },
    async selectFound() {
      await this.attempt(async () => this.choose((await request(this.$root.dataset.works)).works));
    },
    clear() {
      this.selection = {};
      this.mark();
    },
    mark() {
      for (const tile of this.tiles()) tile.classList.toggle("selected", tile.dataset.work in this.selection);
    },

    clicked(event) {
      const tile = event.target.closest("[data-work]");
      const button = event.target.closest("[data-wish]");
      if (tile && button) {
        const again = button.getAttribute("aria-pressed") === "true";
        this.decide([fact(tile)], again ? "pending" : button.dataset.wish);
      } else if (tile && event.shiftKey && event.target.closest("a.open")) {
        event.preventDefault();
        event.stopPropagation();
        this.pick(tile, true);
      }
    },

    // One batch after another, so that a later one knows the decisions of the one before.
    decide(works, status) {
      const batch = works.map((work) => ({ ...work, was: work.status, status })).filter((work) => work.was !== status);
      if (!batch.length) return;
      this.paint(batch);
      this.sending = this.sending.then(() => this.attempt(() => this.send(batch, true)));
    },

    async send(batch, canBeUndone) {
      const works = batch.map(({ id, status, seen }) => ({ id, status, seen }));
      const { decisions } = await request(this.$root.dataset.decide, { works });
      const seen = new Map(decisions.map((decision) => [decision.id, decision.seen]));
      const written = batch.filter((work) => seen.has(work.id)).map((work) => ({ ...work, seen: seen.get(work.id) }));
      this.paint(written);
      if (canBeUndone && written.length) this.done = [...this.done, written].slice(-UNDO_DEPTH);
      this.store();
    },

    undo() {
      this.sending = this.sending.then(() => {
        const batch = this.done.at(-1);
        if (!batch) return null;
        this.done = this.done.slice(0, -1);
        this.store();
        return this.attempt(() => this.send(batch.map((work) => ({ ...work, status: work.was })), false));
      });
    },

    // What fails is said, and the page shows again what the server knows.
    async attempt(does) {
      try {
        await does();
        this.message = "";
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.signedOut = error.code === "not_authenticated" || error.code === "permission_denied";
        this.message = this.signedOut ? "Your session has ended. Nothing was written." : error.message;
      }
      this.refresh();
    },

    paint(works) {
      for (const { id, status, seen } of works) {
        for (const tile of this.$root.querySelectorAll(`[data-work="${id}"]`)) {
          tile.classList.remove("pending", "accepted", "rejected");
          tile.classList.add(status);
          Object.assign(tile.dataset, { status, seen });
          for (const button of tile.querySelectorAll("[data-wish]")) {
            button.setAttribute("aria-pressed", String(button.dataset.wish === status));
          }
        }
      }
    },

    store() {
      sessionStorage.setItem(this.key, JSON.stringify(this.done));
    },

    showKeys() {
      this.$refs.shortcuts.showModal();
    },

    // Which work had the focus before the page changed, so that it can have it again.
    remember() {
      const tile = this.current();
      this.focusNext = tile ? tile.dataset.work : this.focusNext;
      this.wasSingle = Boolean(this.single());
    },

    swapped(event) {
      this.mark();
      // Going elsewhere takes the place of a refresh under way, whose news must not be lost.
      if (!event.detail.ctx.sourceElement.matches("[data-live]")) this.refresh();
      const isSingle = Boolean(this.single());
      if (isSingle) {
        if (!this.single().contains(document.activeElement)) this.single().querySelector(".single-work .work").focus();
      } else if (this.wasSingle) {
        focus(this.$root.querySelector(`#tile-${this.focusNext}`) ?? this.tiles()[0]);
      }
      this.wasSingle = isSingle;
    },

    grab(event) {
      const picture = event.target.closest(".single-work .work img");
      if (event.pointerType === "mouse" || !picture || !picture.closest(".work").querySelector("[data-wish]")) return;
      this.swipe = { x: event.clientX, picture, moved: false };
    },
    drag(event) {
      if (!this.swipe) return;
      const dx = event.clientX - this.swipe.x;
      if (Math.abs(dx) > SLACK_PX) this.swipe.moved = true;
      if (this.swipe.moved) this.lean(dx);
    },
    drop(event) {
      if (!this.swipe) return;
      const dx = event.clientX - this.swipe.x;
      this.release();
      if (Math.abs(dx) >= SWIPE_PX) this.wish(dx > 0 ? "accepted" : "rejected");
    },
    release() {
      if (!this.swipe) return;
      this.lean(0);
      this.swipe = null;
    },
    lean(dx) {
      const { picture } = this.swipe;
      picture.style.transform = dx ? `translateX(${dx / 2}px) rotate(${dx / 40}deg)` : "";
      picture.classList.toggle("to-accept", dx >= SWIPE_PX);
      picture.classList.toggle("to-reject", dx <= -SWIPE_PX);
    },
  };
}

function fact(tile) {
  const { work, index, status, seen } = tile.dataset;
  return { id: Number(work), index: Number(index), status, seen: Number(seen) };
}

function focus(tile) {
  if (!tile) return false;
  (tile.querySelector("a.open") ?? tile).focus();
  return true;
}

function told({ by, status, n, works }) {
  const done = status === "pending" ? "reopened" : status;
  return n === 1 ? `${by} ${done} #${works[0]}.` : `${by} ${done} ${n} works.`;
}
