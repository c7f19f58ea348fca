// Sliders beside the numbers of a proposal: one is moved, and the others of its attribute give way in
// proportion, so that they always come to 100. The numbers are the form; sliders only write them.
export function shares() {
  return {
    slide({ target }) {
      if (target.type === "range") this.set(target);
      else if (target.name.includes(".")) this.follow(target);
    },

    set(moved) {
      const name = moved.dataset.share;
      const attribute = name.slice(0, name.indexOf(".") + 1);
      const others = this.numbers(attribute).filter((input) => input.name !== name);
      const rest = others.reduce((sum, input) => sum + this.read(input), 0);
      const left = 100 - Number(moved.value);
      for (const input of others) {
        const share = rest > 0 ? (this.read(input) * left) / rest : left / others.length;
        this.write(input, share);
      }
      const own = this.numbers(attribute).find((input) => input.name === name);
      const sum = others.reduce((total, input) => total + this.read(input), 0);
      this.write(own, 100 - sum); // what rounding left over
    },

    follow(input) {
      const slider = this.slider(input.name);
      if (slider && Number.isFinite(this.read(input))) slider.value = this.read(input);
    },

    write(input, share) {
      input.value = share.toFixed(1);
      const slider = this.slider(input.name);
      if (slider) slider.value = share;
    },

    read(input) {
      return Number(input.value.replace(",", "."));
    },
    numbers(attribute) {
      return [...this.$root.querySelectorAll("input[name]")].filter((input) => input.name.startsWith(attribute));
    },
    slider(name) {
      return this.$root.querySelector(`input[data-share="${CSS.escape(name)}"]`);
    },
  };
}
