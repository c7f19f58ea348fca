// Keeps a part of a page in step with the database. The socket only says that something changed: what is
// shown always comes from the server, so nothing is missed while a connection was down. `data-quiet` is how
// long hints are gathered before the server is asked.

const QUIET_MS = 400;
const BETWEEN_MS = 1000; // no page asks more often, however much changes
const POLL_MS = 15000;

export function live() {
  return {
    connected: false,
    socket: null,
    waiting: null,
    last: 0,
    delay: 500,
    stopped: false,
    opened: [],

    init() {
      this.onBefore = () => this.keepOpened();
      this.onAfter = () => this.openAgain();
      document.addEventListener("htmx:before:swap", this.onBefore);
      document.addEventListener("htmx:after:swap", this.onAfter);
      this.connect();
      this.poll = setInterval(() => this.connected || this.refresh(), POLL_MS);
    },

    destroy() {
      this.stopped = true;
      clearInterval(this.poll);
      this.socket?.close();
      document.removeEventListener("htmx:before:swap", this.onBefore);
      document.removeEventListener("htmx:after:swap", this.onAfter);
    },

    connect() {
      const scheme = location.protocol === "https:" ? "wss:" : "ws:";
      this.socket = new WebSocket(`${scheme}//${location.host}${this.$el.dataset.socket}`);
      this.socket.onopen = () => {
        this.connected = true;
        this.delay = 500;
        this.refresh();
      };
      this.socket.onmessage = (message) => this.heard(JSON.parse(message.data));
      this.socket.onclose = () => {
        this.connected = false;
        if (this.stopped) return;
        setTimeout(() => this.connect(), this.delay);
        this.delay = Math.min(this.delay * 2, 10000);
      };
    },

    // What a reader has opened stays open, though the server sends it closed.
    keepOpened() {
      this.opened = [...this.$root.querySelectorAll("details[id][open]")].map(({ id }) => id);
    },

    openAgain() {
      for (const id of this.opened) document.getElementById(id)?.setAttribute("open", "");
    },

    heard() {
      this.refresh();
    },

    refresh() {
      if (this.waiting) return;
      const quiet = Number(this.$root.dataset.quiet) || QUIET_MS;
      const wait = Math.max(quiet, this.last + BETWEEN_MS - Date.now());
      this.waiting = setTimeout(() => {
        this.waiting = null;
        this.last = Date.now();
        const part = this.$root.querySelector("[data-live]");
        part?.dispatchEvent(new CustomEvent("changed"));
      }, wait);
    },
  };
}
