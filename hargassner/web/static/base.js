// What every part of the page uses: its texts, its elements, numbers and times in its language.
// Everything that came over the wire is put in as text, never as markup.

const root = document.documentElement;
const texts = JSON.parse(root.dataset.texts);

export const language = root.lang;
export const version = root.dataset.version;

export const byId = (id) => document.getElementById(id);

export const say = (key, fields = {}) =>
  texts[key].replace(/\{(\w+)\}/g, (all, name) => (name in fields ? fields[name] : all));
export const knows = (key) => key in texts;

export const element = (name, classes = "", ...children) => {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  made.append(...children.filter((each) => each !== null && each !== undefined));
  return made;
};

export const drawn = (name, attributes, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

// Kept by the browser, where it keeps anything.
export const kept = {
  read: (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  write: (key, value) => {
    try {
      localStorage.setItem(key, value);
    } catch {
      // Full, or not allowed: then it is not kept.
    }
  },
};

// Numbers, in the boiler's own precision and with the language's decimal sign.

const formats = new Map();
export const decimal = (value, places) => {
  if (!formats.has(places)) {
    formats.set(places, new Intl.NumberFormat(language, { minimumFractionDigits: places, maximumFractionDigits: places }));
  }
  // What rounds to nothing has no sign.
  const rounded = Math.abs(value) < 0.5 * 10 ** -places ? 0 : value;
  return formats.get(places).format(rounded);
};
export const number = (text) =>
  /^-?\d+(\.\d+)?$/.test(text) ? decimal(Number(text), (text.split(".")[1] || "").length) : text;
export const quantity = (value) => {
  if (!value) return null;
  const made = element("span", "", number(value.text));
  if (value.unit) made.append(element("span", "unit", `\u00a0${value.unit}`));
  return made;
};
export const amount = (value, unit, places = 1) => quantity({ text: value.toFixed(Number.isInteger(value) ? 0 : places), unit });

// Times. Only the bridge's dates count: the device's may be wrong, and may change. What has passed
// since the bridge told its date is measured by a clock that nobody sets.

let told = { now: 0, at: 0 };
export const tell = (date) => {
  told = { now: date, at: performance.now() };
};
export const isTold = () => told.now !== 0;
export const now = () => told.now + (performance.now() - told.at) / 1000;
export const lastTold = () => told.now;

const two = { hour: "2-digit", minute: "2-digit", hour12: false };
export const clockTime = new Intl.DateTimeFormat(language, two);
export const secondTime = new Intl.DateTimeFormat(language, { ...two, second: "2-digit" });
export const dayTime = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", ...two });
export const dayDate = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
export const shortDay = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
export const monthName = new Intl.DateTimeFormat(language, { month: "short" });
export const monthYear = new Intl.DateTimeFormat(language, { month: "long", year: "numeric" });

export const date = (seconds) => new Date(seconds * 1000);
export const moment = (at) => {
  const shown = date(at);
  return shown.toDateString() === date(now()).toDateString() ? clockTime.format(shown) : dayTime.format(shown);
};
export const since = (at) => (at === null || at === undefined ? "" : say("page.since", { time: moment(at) }));
