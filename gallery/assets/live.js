// Keeps a part of a page in step with the database. The socket only says that something changed: what is
// shown always comes from the server, so nothing is missed while a connection was down.

const QUIET_MS = 400;
const POLL_MS = 15000;

export function live() {
  return {
    connected: false,
    socket: null,
    waiting: null,
    delay: 500,
    stopped: false,

    init() {
      this.connect();
      this.poll = setInterval(() => this.connected || this.refresh(), POLL_MS);
    },

    destroy() {
      this.stopped = true;
      clearInterval(this.poll);
      this.socket?.close();
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

    heard() {
      this.refresh();
    },

    refresh() {
      if (this.waiting) return;
      this.waiting = setTimeout(() => {
        this.waiting = null;
        const part = this.$root.querySelector("[data-live]");
        part?.dispatchEvent(new CustomEvent("changed"));
      }, QUIET_MS);
    },
  };
}
