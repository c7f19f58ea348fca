// A comment goes to the API; the page is read again to show it where it stands for everybody.
import { request } from "./api.js";

export function comment() {
  return {
    busy: false,
    message: "",

    get failed() {
      return this.message !== "";
    },

    async send() {
      if (this.busy) return;
      this.busy = true;
      this.message = "";
      try {
        await request(this.$root.dataset.url, { text: this.$refs.text.value });
        this.$refs.text.value = "";
        location.hash = "comments";
        location.reload();
      } catch (error) {
        this.message = error.message;
      }
      this.busy = false;
    },
  };
}
