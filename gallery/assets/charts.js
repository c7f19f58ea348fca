// Charts of the console. Their colours are those of the page's legend, so light and dark need no second list.
import { request } from "./api.js";

const HEIGHT_PX = 210;

export function charts() {
  return {
    plots: [],

    async init() {
      const scheme = matchMedia("(prefers-color-scheme: dark)");
      this.onScheme = () => this.draw();
      scheme.addEventListener("change", this.onScheme);
      this.$root.addEventListener("redraw", () => this.load());
      try {
        this.uPlot = (await import("uplot")).default;
        await this.load();
        this.watcher = new ResizeObserver(() => this.fit());
        this.watcher.observe(this.$root);
      } catch (error) {
        const said = document.getElementById("charts-said");
        said.textContent = `The charts cannot be drawn: ${error.message} The numbers are below each.`;
        said.hidden = false;
      }
    },

    destroy() {
      matchMedia("(prefers-color-scheme: dark)").removeEventListener("change", this.onScheme);
      this.watcher?.disconnect();
      for (const plot of this.plots) plot.destroy();
    },

    async load() {
      this.charts = (await request(this.$root.dataset.numbers)).charts;
      this.draw();
    },

    draw() {
      for (const plot of this.plots) plot.destroy();
      this.plots = this.charts.map((chart) => this.plot(chart));
    },

    plot(chart) {
      const figure = this.$root.querySelector(`[data-chart="${chart.key}"]`);
      const at = figure.querySelector(".plot");
      const options = { ...frame(chart, figure), width: at.clientWidth, height: HEIGHT_PX };
      return new this.uPlot(options, [chart.drops, ...chart.series.map(({ values }) => values)], at);
    },

    fit() {
      for (const plot of this.plots) plot.setSize({ width: plot.root.parentElement.clientWidth, height: HEIGHT_PX });
    },
  };
}

function frame(chart, figure) {
  const ink = getComputedStyle(figure.querySelector("summary")).color;
  const line = getComputedStyle(figure).borderTopColor;
  const grid = { stroke: line, width: 1 };
  const whole = chart.unit !== "normalised entropy (0 to 1)";
  const isRun = Boolean(chart.axis); // a quantity, not a number of a drop
  const values = (_, places) => places.map((drop) => (isRun || chart.drops.includes(drop) ? drop : ""));
  const x = isRun ? {} : { incrs: [1, 2, 5, 10, 20, 50] };
  const axis = { stroke: ink, grid, ticks: grid, font: "12px system-ui, sans-serif" };
  return {
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: (_, first, last) => (isRun ? [0, last] : [first - 0.5, last + 0.5]) },
      y: { range: (_, low, high) => (isRun ? [Math.min(low, 0), high * 1.1 || 1] : whole ? [0, Math.max(high * 1.1, 1)] : [0, 1.02]) },
    },
    axes: [
      { ...axis, label: chart.axis ?? "drop", labelFont: axis.font, labelSize: 18, size: 30, ...x, values },
      { ...axis, label: chart.unit, labelFont: axis.font, labelSize: 18, size: 46, ...(isRun ? {} : { incrs: whole ? steps() : [0.2, 0.5] }) },
    ],
    series: [{}, ...chart.series.map((series, n) => look(series, n, figure, chart.drops.length < 60))],
  };
}

function look({ name }, n, figure, show) {
  const stroke = getComputedStyle(figure.querySelector(`.series-${n}`)).color;
  const dash = n < 8 ? undefined : [5, 3]; // two values of the same colour differ in their dashes
  return { label: name, stroke, width: 2, dash, points: { show, size: 6, fill: stroke } };
}

function steps() {
  return Array.from({ length: 9 }, (_, n) => 10 ** n).flatMap((unit) => [unit, 2 * unit, 5 * unit]);
}
