// The charts: which range they show, beside the year before or not. The bridge picks the grain that
// suits the range, so that no more is sent than can be seen.

import { byId, date, dayDate, kept, now, number, say } from "./base.js";
import { follows, merged } from "./merge.js";
import { madePlot } from "./plots.js";

const SPANS = { day: 86400, week: 7 * 86400, month: 31 * 86400, year: 366 * 86400 };
const FRAME = 34; // what a chart's card needs of its width
const AGAIN = 60; // seconds between two looks for what is new, at least

let kind = kept.read("hargassner-range") || "day";
if (!(kind in SPANS) && kind !== "all") kind = "day";
let back = 0; // ranges before the last one
let plots = [];
let answer = null;
let asked = -Infinity; // by performance.now()
let asking = 0; // the number of the last question: answers to others are too late
let current = () => "";

const range = () => {
  const end = now() - back * SPANS[kind];
  return { from: Math.floor(end - SPANS[kind]), to: Math.ceil(end) };
};
const question = () => {
  if (kind === "all") return "api/history?from=all";
  // What is asked most is always asked by the same address, so that it can be kept for later.
  if (kind === "day" && !back) return "api/history";
  const { from, to } = range();
  return `api/history?from=${from}&to=${to}`;
};

const shifted = (seconds, years) => {
  const moved = date(seconds);
  moved.setFullYear(moved.getFullYear() + years);
  return Math.round(moved.getTime() / 1000);
};

const fetched = async (address) => {
  const got = await fetch(address);
  if (!got.ok) throw new Error(String(got.status));
  return got.json();
};

const yearBefore = async (of) => {
  if (!byId("compare").checked || kind === "all" || !of.times.length) return null;
  const grain = of.grain === "minute" ? "" : `&grain=${of.grain}`;
  const found = await fetched(`api/history?from=${shifted(of.from, -1)}&to=${shifted(of.to, -1)}${grain}`);
  const times = found.times.map((each) => shifted(each, 1));
  return new Map(found.charts.map((chart) => [chart.chart, { times, lines: chart.lines }]));
};

export const loadHistory = async () => {
  asked = performance.now();
  asking += 1;
  const mine = asking;
  try {
    const got = await fetched(question());
    const before = await yearBefore(got);
    if (mine !== asking) return;
    answer = got;
    note(before && !before.size ? say("page.no.year.before") : "");
    show(before);
  } catch {
    // The bridge is away; it is asked again as soon as it is back.
    if (mine === asking) note(say("page.unread"));
  }
};

// What is new since the last look; everything where that is not the rest of what is there.
const extendHistory = async () => {
  if (answer.grain !== "minute" || byId("compare").checked) return loadHistory();
  asked = performance.now();
  asking += 1;
  const mine = asking;
  try {
    const got = await fetched(`api/history?from=${answer.newest}&grain=minute`);
    if (mine !== asking) return undefined;
    if (!follows(answer, got)) return loadHistory();
    answer = merged(answer, got);
    show(null);
  } catch {
    if (mine === asking) note(say("page.unread"));
  }
  return undefined;
};

const note = (text) => {
  byId("history-note").textContent = text;
  byId("history-note").hidden = !text;
};

const columnWidth = () => Math.max(200, (parseFloat(getComputedStyle(byId("charts")).gridTemplateColumns) || 400) - FRAME);

const show = (before) => {
  for (const each of plots) each.destroy();
  const has = answer.times.length > 0;
  byId("no-history").hidden = has;
  byId("no-history").textContent = say(answer.enabled ? "page.no.history" : "page.history.off");
  byId("earlier").hidden = byId("later").hidden = kind === "all";
  byId("later").disabled = !back;
  byId("earlier").disabled = !answer.kept.day || answer.kept.day >= answer.from;
  byId("compare").disabled = kind === "all";
  byId("when").textContent = answer.times.length ? `${dayDate.format(date(answer.times[0]))} – ${dayDate.format(date(answer.newest))}` : "";
  const width = columnWidth();
  const charts = has ? answer.charts : [];
  plots = charts.map((chart) => madePlot(chart, answer, before && before.get(chart.chart), width, (line) => current(line)));
  byId("charts").replaceChildren(...plots.map((each) => each.node));
  // Only when they stand in the page is it known how wide they are.
  resize();
};

let width = 0;
const resize = () => {
  const to = columnWidth();
  if (Math.abs(to - width) <= 1 && plots.every((each) => each.node.isConnected)) {
    for (const each of plots) each.resize(to);
    return;
  }
  width = to;
  for (const each of plots) each.resize(to);
};
new ResizeObserver(() => {
  if (Math.abs(columnWidth() - width) > 1) resize();
}).observe(byId("charts"));
document.addEventListener("theme", () => plots.forEach((each) => each.redraw()));

// What is new is asked for once in a while, and only while somebody can see it.
export const followHistory = (valueOf) => {
  current = (line) => {
    const entry = valueOf(`channel/${line.object}`);
    return entry && entry.value !== null ? `${number(entry.value)}\u00a0${entry.unit}` : "";
  };
  for (const each of plots) each.refresh();
  const wait = answer && answer.times.length ? Math.max(AGAIN, answer.step) : 15;
  const busy = document.activeElement && byId("charts").contains(document.activeElement);
  const hovered = byId("charts").matches(":hover");
  if (!back && !document.hidden && !busy && !hovered && performance.now() - asked > wait * 1000) {
    if (answer && answer.times.length) extendHistory();
    else loadHistory();
  }
};

const choose = (chosen) => {
  kind = chosen;
  back = 0;
  kept.write("hargassner-range", kind);
  mark();
  loadHistory();
};
const mark = () => {
  for (const each of document.querySelectorAll("[data-range]")) each.setAttribute("aria-pressed", String(each.dataset.range === kind));
};
for (const each of document.querySelectorAll("[data-range]")) each.addEventListener("click", () => choose(each.dataset.range));
byId("earlier").addEventListener("click", () => { back += 1; loadHistory(); });
byId("later").addEventListener("click", () => { back = Math.max(0, back - 1); loadHistory(); });
byId("compare").addEventListener("change", loadHistory);
mark();
