// Days, months and heating seasons as bars, each beside the one a year before.

import { byId, date, decimal, drawn, monthName, monthYear, say, shortDay } from "./base.js";
import { readable } from "./readout.js";

const HEIGHT = 180;
const FLOOR = HEIGHT - 22;
const LEFT = 44;
const AGAIN = 900000; // ms after which what is shown is asked for again

// What a bar can show, of what the days of a period came to.
const QUANTITIES = {
  pellets: { of: (sums) => sums.pellets, unit: "kg", places: 0 },
  ignitions: { of: (sums) => sums.ignitions, unit: "", places: 0 },
  hours: { of: (sums) => sums.full_load_hours, unit: "h", places: 1 },
  cold: { of: (sums) => (sums.pellets !== null && sums.degree_days > 5 ? sums.pellets / sums.degree_days : null), unit: "kg", places: 2 },
};

let kind = "day";
let periods = [];
let asked = -Infinity;

const quantity = () => QUANTITIES[byId("quantity").value];
const valueOf = (sums) => (sums ? quantity().of(sums) : null);
const told = (value) => (value === null ? "–" : `${decimal(value, quantity().places)}\u00a0${quantity().unit}`.trim());

// A local day's date as it is written: midnight is not the same moment everywhere.
const dayOf = (text) => {
  const [year, month, day] = text.split("-").map(Number);
  const made = date(0);
  made.setFullYear(year, month - 1, day);
  made.setHours(12, 0, 0, 0);
  return made;
};
const nameOf = (period) => {
  const from = dayOf(period.from);
  if (kind === "day") return shortDay.format(from);
  if (kind === "month") return monthName.format(from);
  return `${from.getFullYear()}/${String(from.getFullYear() + 1).slice(2)}`;
};
const longNameOf = (period) => (kind === "month" ? monthYear.format(dayOf(period.from)) : kind === "season" ? say("page.season", { name: nameOf(period) }) : nameOf(period));

const words = (period) =>
  `${longNameOf(period)}: ${told(valueOf(period.totals))}, ${say("page.year.before")} ${told(valueOf(period.before))}`;

const change = (is, was) => {
  const part = Math.round((is / was - 1) * 100);
  return `${part > 0 ? "+" : part < 0 ? "−" : "±"}${decimal(Math.abs(part), 0)}\u00a0%`;
};

// How far a period has come that goes on, against as many days of the year before.
const summary = () => {
  // A day that goes on says little; the one before it is whole.
  if (kind === "day") return periods.length > 1 ? words(periods[periods.length - 2]) : "";
  const last = periods[periods.length - 1];
  if (!last || !last.so_far) return "";
  const is = valueOf(last.so_far);
  const was = valueOf(last.so_far_before);
  if (is === null) return "";
  const sofar = say("page.so.far", { name: longNameOf(last), value: told(is) });
  return was ? `${sofar} · ${say("page.so.far.before", { value: told(was), change: change(is, was) })}` : sofar;
};

const steps = (top) => {
  const rough = top / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, place) => place * step);
};

const text = (x, y, anchor, content) => drawn("text", { x, y, "text-anchor": anchor }, content);

const draw = () => {
  const holder = byId("bars");
  const width = Math.max(240, holder.clientWidth);
  const all = periods.flatMap((each) => [valueOf(each.totals), valueOf(each.before)]).filter((each) => each !== null);
  const top = Math.max(...all, 0.1) * 1.05;
  const y = (value) => 8 + (FLOOR - 8) * (1 - value / top);
  const picture = drawn("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, "aria-hidden": "true" });
  for (const value of steps(top)) {
    picture.append(drawn("line", { class: "grid", x1: LEFT, x2: width, y1: y(value), y2: y(value) }));
    picture.append(text(LEFT - 6, y(value) + 4, "end", decimal(value, value % 1 ? (top < 0.3 ? 2 : 1) : 0)));
  }
  const slot = Math.min(110, (width - LEFT - 12) / Math.max(1, periods.length));
  const every = Math.ceil((kind === "day" ? 48 : 52) / slot);
  periods.forEach((period, place) => {
    const x = LEFT + place * slot;
    const group = drawn("g", { class: period.running ? "running" : "" });
    const bar = (value, name, part) => {
      if (value) group.append(drawn("rect", { class: name, x: x + slot * (0.1 + part * 0.38), width: slot * 0.38, y: y(value), height: FLOOR - y(value), rx: Math.min(3, slot * 0.1) }));
    };
    bar(valueOf(period.before), "before", 0);
    bar(valueOf(period.totals), "is", 1);
    picture.append(group);
    if ((periods.length - 1 - place) % every === 0) picture.append(text(Math.min(x + slot / 2, width - 22), HEIGHT - 5, "middle", nameOf(period)));
  });
  holder.replaceChildren(picture);
  holder.dataset.slot = slot;
  point(null);
};

const point = (place) => {
  byId("bar-told").textContent = place === null ? summary() : words(periods[place]);
  byId("bars").querySelectorAll("g").forEach((group, number) => group.classList.toggle("pointed", number === place));
};

const show = () => {
  const has = periods.some((each) => valueOf(each.totals) !== null || valueOf(each.before) !== null);
  byId("no-bars").hidden = has;
  byId("bars").hidden = !has;
  byId("bars").setAttribute("aria-label", byId("quantity").selectedOptions[0].textContent);
  if (has) draw();
  else byId("bar-told").textContent = "";
};

export const loadBars = async () => {
  asked = performance.now();
  const mine = kind;
  try {
    const answer = await fetch(`api/consumption?by=${mine}`);
    if (!answer.ok) throw new Error(String(answer.status));
    const got = (await answer.json()).periods;
    if (mine !== kind) return;
    periods = got;
    byId("no-bars").textContent = say("page.no.bars");
    show();
  } catch {
    byId("no-bars").textContent = say("page.unread");
    byId("no-bars").hidden = false;
  }
};

export const followBars = () => {
  if (!document.hidden && performance.now() - asked > AGAIN) loadBars();
};

const placeAt = (event) => {
  const box = byId("bars").getBoundingClientRect();
  const place = Math.floor((event.clientX - box.left - LEFT) / Number(byId("bars").dataset.slot));
  return place >= 0 && place < periods.length ? place : null;
};
const slider = readable(byId("bars"), say("page.consumption"), {
  size: () => periods.length,
  at: point,
  words: (place) => words(periods[place]),
});
for (const kindOf of ["pointermove", "pointerdown"]) {
  byId("bars").addEventListener(kindOf, (event) => {
    const place = placeAt(event);
    point(place);
    if (place !== null) slider.moved(place);
  });
}
byId("bars").addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") point(null); });
byId("quantity").addEventListener("change", show);
for (const each of document.querySelectorAll("[data-by]")) {
  each.addEventListener("click", () => {
    kind = each.dataset.by;
    for (const other of document.querySelectorAll("[data-by]")) other.setAttribute("aria-pressed", String(other === each));
    loadBars();
  });
}
let width = 0;
new ResizeObserver(() => {
  if (Math.abs(byId("bars").clientWidth - width) > 1 && !byId("bars").hidden) {
    width = byId("bars").clientWidth;
    draw();
  }
}).observe(byId("bars"));
