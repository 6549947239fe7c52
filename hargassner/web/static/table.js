// All values: sorted, searched, filtered. A row is made once for each key, and thrown away with it.

import { byId, element, moment, number, say } from "./base.js";

const rows = new Map();
let needle = "";
let order = { by: "rank", down: false };

const compare = new Intl.Collator(document.documentElement.lang, { numeric: true, sensitivity: "base" }).compare;
// What each column sorts by; what comes out even is sorted by the name.
const keys = {
  rank: (row) => row.rank,
  name: (row) => row.label,
  value: (row) => row.size,
  since: (row) => -(row.at ?? 0),
};
const values = (left, right) =>
  typeof left === "number" && typeof right === "number" ? left - right : compare(String(left), String(right));

const matches = (row) =>
  (row.connected || !byId("connected").checked) && needle.split(/\s+/).every((word) => row.words.includes(word));

const arrange = () => {
  const key = keys[order.by];
  const sign = order.down ? -1 : 1;
  const sorted = [...rows.values()].sort((left, right) => sign * values(key(left), key(right)) || compare(left.label, right.label));
  byId("rows").append(...sorted.map((row) => row.line));
  for (const button of document.querySelectorAll("[data-sort]")) {
    const is = button.dataset.sort === order.by;
    button.closest("th").setAttribute("aria-sort", is ? (order.down ? "descending" : "ascending") : "none");
  }
};

const words = (entry) => {
  if (entry.value === null) return "–";
  if (entry.meaning) return entry.meaning;
  if (entry.kind === "digital") return say(entry.value === "ON" ? "page.on" : "page.off");
  return number(entry.value);
};

// The digital words of the last line, and which bit of which word a channel is: shown where asked for.
let line = [];
let places = new Map();
const placeOf = (key) => {
  const [word, bit] = places.get(key) ?? [];
  return line[word] && byId("raw").checked ? say("page.word", { word, bit, text: line[word] }) : "";
};
const showPlaces = () => {
  for (const [key, row] of rows) row.place.textContent = placeOf(key);
};
export const showWords = (words) => {
  line = words ?? [];
  showPlaces();
};
export const showBits = (bits) => {
  places = new Map(Object.entries(bits ?? {}).map(([name, place]) => [`channel/${name}`, place]));
  showPlaces();
};

const made = (key) => {
  const row = { line: element("tr"), name: element("th"), raw: element("td", "raw"), place: element("small"), value: element("td", "number"), since: element("td", "number since") };
  row.name.scope = "row";
  row.line.append(row.name, row.raw, row.value, row.since);
  rows.set(key, row);
  return row;
};

export const showRow = (key, entry) => {
  let row = rows.get(key);
  if (!entry) {
    if (row) row.line.remove();
    rows.delete(key);
    return;
  }
  const isNew = !row;
  if (isNew) row = made(key);
  row.place.textContent = placeOf(key);
  const unconnected = entry.connected === false;
  row.connected = !unconnected;
  row.label = entry.label;
  row.rank = (entry.rank ?? 4) + (unconnected ? 10 : 0);
  row.size = entry.value === null || Number.isNaN(Number(entry.value)) ? words(entry) : Number(entry.value);
  row.at = entry.since;
  row.line.className = unconnected ? "unconnected" : "";
  row.name.replaceChildren(entry.label);
  if (unconnected) row.name.append(element("small", "", say("page.unconnected")));
  else if (entry.kind === "setting") row.name.append(element("small", "", say("page.setting")));
  row.raw.replaceChildren(entry.name, element("small", "", entry.value ?? ""), row.place);
  row.value.replaceChildren(words(entry));
  if (entry.unit && !entry.meaning) row.value.append(element("span", "unit", `\u00a0${entry.unit}`));
  row.since.textContent = row.at === null ? "" : moment(row.at);
  row.words = [entry.label, entry.name, entry.value, entry.unit, words(entry)].filter(Boolean).join(" ").toLowerCase();
  row.line.hidden = !matches(row);
  if (isNew) arrangeSoon();
};

// Many rows come at once: they are put in order once.
let due = 0;
const arrangeSoon = () => {
  if (!due) due = setTimeout(() => { due = 0; arrange(); }, 0);
};

export const count = () => {
  const shown = [...rows.values()].filter((row) => !row.line.hidden).length;
  byId("count").textContent = rows.size ? say("page.count", { shown, all: rows.size }) : "";
  byId("table").hidden = rows.size === 0;
  byId("no-values").hidden = rows.size !== 0;
};

export const goneFrom = (keysNow) => [...rows.keys()].filter((key) => !(key in keysNow));

const filter = () => {
  for (const row of rows.values()) row.line.hidden = !matches(row);
  count();
};

byId("search").placeholder = say("page.search");
byId("search").addEventListener("input", (event) => {
  needle = event.target.value.trim().toLowerCase();
  filter();
});
byId("connected").addEventListener("change", filter);
byId("raw").addEventListener("change", (event) => {
  byId("table").classList.toggle("with-raw", event.target.checked);
  showPlaces();
});
for (const button of document.querySelectorAll("[data-sort]")) {
  button.addEventListener("click", () => {
    const by = button.dataset.sort;
    // A third click gives the order back that the page began with.
    if (order.by !== by) order = { by, down: false };
    else order = order.down ? { by: "rank", down: false } : { by, down: true };
    arrange();
  });
}
