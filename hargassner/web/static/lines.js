// Dialogue and log, live: searched, by level, and held still on demand. Both are bounded: the page
// may stay open for days.

import { byId, date, element, say, secondTime } from "./base.js";

const LINES = 300; // of dialogue and of log, each
const consoles = { dialogue: byId("dialogue"), log: byId("log") };
const LEVELS = { all: 0, warn: 1, error: 2 };
const rank = (level) => ({ warn: 1, error: 2, critical: 2 })[level] ?? 0;

let paused = false;
let held = []; // what came while it is paused
let needle = "";

const matches = (item) =>
  (item.dataset.level === undefined || Number(item.dataset.level) >= LEVELS[byId("level").value])
  && item.textContent.toLowerCase().includes(needle);

const madeOf = (line) => {
  const time = element("time", "", secondTime.format(date(line.at)));
  if (line.kind === "dialogue") {
    return element("li", "", time, element("span", `who from-${line.from}`, say(`page.from.${line.from}`)), element("span", "", line.text));
  }
  const item = element("li", line.level, time, element("span", "", line.text));
  item.dataset.level = rank(line.level);
  return item;
};

const showEmpty = (list) => {
  if (!list.children.length) list.append(element("li", "empty", say("page.no.lines")));
  else if (list.children.length > 1) list.querySelector(".empty")?.remove();
};

export const showLines = (lines) => {
  if (paused) {
    held = [...held, ...lines].slice(-2 * LINES);
    byId("pause").textContent = say("page.resume.count", { count: held.length });
    return;
  }
  const frames = Object.values(consoles).map((each) => each.parentElement);
  const followed = frames.filter((each) => each.scrollHeight - each.scrollTop - each.clientHeight < 40);
  for (const line of lines) {
    const item = madeOf(line);
    item.hidden = !matches(item);
    consoles[line.kind].append(item);
  }
  for (const each of Object.values(consoles)) {
    while (each.children.length > LINES) each.firstElementChild.remove();
    showEmpty(each);
  }
  for (const each of followed) each.scrollTop = each.scrollHeight;
};

export const beginLines = (lines) => {
  held = [];
  if (paused) return;
  for (const each of Object.values(consoles)) each.replaceChildren();
  showLines(lines);
  toEnd();
};

const filter = () => {
  for (const each of Object.values(consoles)) {
    for (const item of each.children) item.hidden = !item.matches(".empty") && !matches(item);
  }
  toEnd();
};

const toEnd = () => {
  for (const each of Object.values(consoles)) each.parentElement.scrollTop = each.parentElement.scrollHeight;
};

byId("line-search").placeholder = say("page.lines.search");
byId("line-search").addEventListener("input", (event) => {
  needle = event.target.value.trim().toLowerCase();
  filter();
});
byId("level").addEventListener("change", filter);
byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  byId("pause").textContent = say(paused ? "page.resume" : "page.pause");
  const lines = held;
  held = [];
  if (!paused) showLines(lines);
});
byId("pause").textContent = say("page.pause");
