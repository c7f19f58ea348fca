// The button of the work page that checks a work, with a line for each step.

export function check() {
  return {
    steps: [],
    busy: false,
    finished: false,
    failed: [],

    get started() {
      return this.steps.length > 0;
    },

    get label() {
      if (this.busy) return "Checking…";
      return this.started ? "Check again" : "Check it yourself";
    },

    get verdict() {
      return this.failed.length ? "failed" : "passed";
    },

    get summary() {
      if (!this.failed.length) return "Everything fits: these bytes are what the chain committed to.";
      return `This work does not pass. What failed: ${this.failed.join(", ").toLowerCase()}.`;
    },

    async run() {
      if (this.busy) return;
      this.busy = true;
      this.finished = false;
      this.failed = [];
      const { proof, metadata, image, token } = this.$root.dataset;
      try {
        const { TITLES, check } = await import("./check.js");
        this.steps = TITLES.map((step) => ({ ...step, state: "waiting", says: "", rows: [] }));
        const tell = (name, state, says, rows) =>
          Object.assign(
            this.steps.find((step) => step.name === name),
            { state, says, rows },
          );
        this.failed = await check({ proof, metadata, image, token: Number(token) }, tell);
      } catch {
        this.failed = ["loading the check"];
      }
      this.finished = true;
      this.busy = false;
    },
  };
}
