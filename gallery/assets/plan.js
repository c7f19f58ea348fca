// The plan of a draft: sums beside what is typed, and rules and one-of-ones put together from lists.
// Without a script the form works as well; the server checks everything.

export function plan() {
  return {
    init() {
      this.schema = JSON.parse(this.$root.dataset.schema);
      this.fill("if");
      this.fill("then");
      this.sum();
    },

    fill(name) {
      const select = this.$root.querySelector(`[data-rule="${name}"]`);
      for (const [attribute, values] of Object.entries(this.schema)) {
        const group = document.createElement("optgroup");
        group.label = attribute.replaceAll("_", " ");
        for (const value of values) group.append(new Option(`${group.label} ${value}`, `${attribute}=${value}`));
        select.append(group);
      }
    },

    sum() {
      const size = Number(this.$root.dataset.size);
      for (const field of this.$root.querySelectorAll("[data-attribute]")) {
        const mode = field.querySelector("select").value;
        const typed = [...field.querySelectorAll(".amounts input")].map((input) => Number(input.value) || 0);
        const total = Math.round(typed.reduce((sum, n) => sum + n, 0) * 100) / 100;
        const wanted = mode === "counts" ? size : 100;
        const isCurve = mode !== "counts" && mode !== "shares";
        field.classList.toggle("curve", isCurve);
        const said = field.querySelector(".total");
        const isOff = !isCurve && Math.abs(total - wanted) > (mode === "counts" ? 0 : 1);
        said.classList.toggle("bad", isOff);
        said.textContent = isCurve
          ? "The largest number comes first, the smallest is the rarest."
          : `${total.toLocaleString("en")}${mode === "shares" ? " %" : ""} of ${wanted.toLocaleString("en")}${mode === "shares" ? " %" : " works"}`;
      }
    },

    addRule() {
      const said = (name) => this.$root.querySelector(`[data-rule="${name}"]`).value;
      this.append("rules", `${said("if")} ${said("verb")} ${said("then")}`);
    },
    addOne() {
      const picked = [...this.$root.querySelectorAll("[data-one]")];
      this.append("one_of_ones", picked.map((select) => `${select.dataset.one}=${select.value}`).join(", "));
    },
    append(name, line) {
      const area = this.$root.querySelector(`[name="${name}"]`);
      area.value = [area.value.trim(), line].filter(Boolean).join("\n");
    },
  };
}
