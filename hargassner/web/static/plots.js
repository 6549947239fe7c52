// One chart of lines over time, drawn by uPlot.

import { clockTime, date, dayDate, element, number, say } from "./base.js";
import { BAND, bandLegend, bandOf, drawBand, stateAt } from "./band.js";
import { colour, height, numbers, times } from "./axes.js";
import { readable } from "./readout.js";

const { uPlot } = window;
const HEIGHT = 170;
const DAY = 86400;
const YOUNGEST = 10; // steps that a chart shows at least
const together = uPlot.sync("time");

const shown = (value, unit) =>
  value === null || value === undefined ? "–" : `${number(String(Math.round(value * 10) / 10))}\u00a0${unit}`;
const when = (seconds, step) => {
  const at = date(seconds);
  return step >= DAY ? dayDate.format(at) : `${dayDate.format(at)} ${clockTime.format(at)}`;
};

const seriesOf = (chart, answer, before) => {
  const series = [{}];
  chart.lines.forEach((line, place) => {
    const name = `--line-${(place % 6) + 1}`;
    series.push({ label: line.label, stroke: () => colour(name), width: 1.8, spanGaps: false, points: { show: isAlone } });
  });
  (before ? before.lines : []).forEach((line) => {
    const place = chart.lines.findIndex((each) => each.object === line.object);
    const name = `--line-${(Math.max(0, place) % 6) + 1}`;
    series.push({ label: line.label, stroke: () => colour(name), width: 1.2, dash: [4, 4], alpha: 0.75, spanGaps: false, points: { show: false } });
  });
  return series;
};

// A sample between two gaps is a dot; where there are hundreds, dots would hide the line.
const isAlone = (plot, series, first, last) => last - first < 2;

const dataOf = (chart, answer, before) => {
  const own = [answer.times, ...chart.lines.map((line) => line.values)];
  if (!before) return own;
  return uPlot.join([own, [before.times, ...before.lines.map((line) => line.values)]]);
};

// A history that is young is not squeezed into a corner of its range.
const extent = (answer, before) => {
  const begin = before ? answer.from : Math.max(answer.from, Math.min(answer.times[0], answer.to - YOUNGEST * answer.step));
  return [begin, answer.to];
};

const options = (chart, answer, before, width, pieces, move) => ({
  width,
  height: HEIGHT + (pieces.length ? BAND : 0),
  padding: [8, 8, 0, 0],
  legend: { show: false },
  cursor: { sync: { key: together.key, setSeries: false }, drag: { x: false, y: false }, points: { size: 7 }, y: false },
  scales: { x: { time: true, range: () => extent(answer, before) }, y: { range: height(chart.lines[0].unit) } },
  axes: [
    { values: times, stroke: () => colour("--quiet"), font: "11px system-ui, sans-serif", grid: { show: false }, ticks: { show: false }, size: 26 + (pieces.length ? BAND : 0), gap: 6 + (pieces.length ? BAND : 0), space: 70 },
    { values: numbers, stroke: () => colour("--quiet"), font: "11px system-ui, sans-serif", grid: { stroke: () => colour("--edge"), width: 1 }, ticks: { show: false }, size: 44, gap: 6, space: 34 },
  ],
  series: seriesOf(chart, answer, before),
  hooks: { draw: [(plot) => drawBand(plot, pieces)], setCursor: [(plot) => move(plot.cursor.idx ?? null)] },
});

// A finger moves the cursor too; what it does up and down scrolls the page.
const followFinger = (plot) => {
  const move = (event) => {
    if (event.pointerType === "mouse") return;
    const box = plot.over.getBoundingClientRect();
    plot.setCursor({ left: event.clientX - box.left, top: event.clientY - box.top }, true, true);
  };
  plot.over.addEventListener("pointerdown", move);
  plot.over.addEventListener("pointermove", move);
};

const legendOf = (chart, before) => {
  const values = [];
  const list = element("ul", "legend", ...chart.lines.map((line, place) => {
    const value = element("b");
    const earlier = before ? element("i") : null;
    values.push({ line, value, earlier, place });
    return element("li", `c${(place % 6) + 1}`, element("span", "", line.label, " ", value, earlier));
  }));
  return { list, values };
};

// current(object): what the line shows now, in words.
export const madePlot = (chart, answer, before, width, current) => {
  const pieces = chart.chart === "boiler" ? bandOf(answer) : [];
  const data = dataOf(chart, answer, before);
  const { list, values } = legendOf(chart, before);
  const at = element("p", "at quiet");
  const holder = element("div", "plot");
  const count = chart.lines.length;
  const earlierOf = (line) => (before ? before.lines.findIndex((each) => each.object === line.object) : -1);

  const words = (place) => {
    const told = chart.lines.map((line, number) => `${line.label} ${shown(data[number + 1][place], line.unit)}`);
    const state = pieces.length ? stateAt(answer, answer.times.indexOf(data[0][place])) : "";
    return [when(data[0][place], answer.step), state, ...told].filter(Boolean).join(", ");
  };
  const show = (place) => {
    const state = place !== null && pieces.length ? stateAt(answer, answer.times.indexOf(data[0][place])) : "";
    at.textContent = place === null ? "" : [when(data[0][place], answer.step), state].filter(Boolean).join(" · ");
    for (const { line, value, earlier, place: number } of values) {
      value.textContent = place === null ? current(line) : shown(data[number + 1][place], line.unit);
      const old = earlierOf(line);
      if (earlier) earlier.textContent = place === null || old < 0 ? "" : ` (${say("page.year.before")} ${shown(data[count + 1 + old][place], line.unit)})`;
    }
  };
  let slider = null;
  const plot = new uPlot(options(chart, answer, before, width, pieces, (place) => {
    show(place);
    if (place !== null && slider) slider.moved(place);
  }), data, holder);
  followFinger(plot);
  slider = readable(holder, chart.title, {
    size: () => data[0].length,
    at: (place) => {
      const left = place === null ? -10 : plot.valToPos(data[0][place], "x");
      plot.setCursor({ left, top: place === null ? -10 : 10 }, true, true);
    },
    words,
  });
  show(null);
  const head = element("div", "chart-head", element("h3", "", chart.title), at);
  const node = element("article", "chart", head, list, holder, pieces.length ? bandLegend(pieces) : null);
  return {
    node,
    refresh: () => { if (plot.cursor.idx === null || plot.cursor.idx === undefined || plot.cursor.left < 0) show(null); },
    resize: (to) => plot.setSize({ width: to, height: plot.height }),
    redraw: () => plot.redraw(false, true),
    destroy: () => plot.destroy(),
  };
};
