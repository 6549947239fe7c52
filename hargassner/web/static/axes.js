// What stands at the axes of the charts, in the reader's language.

import { clockTime, date, decimal, monthName, shortDay } from "./base.js";

const DAY = 86400;
const isMidnight = (shown) => shown.getHours() === 0 && shown.getMinutes() === 0;

const timeAt = (seconds, step) => {
  const shown = date(seconds);
  if (step < DAY) return isMidnight(shown) ? shortDay.format(shown) : clockTime.format(shown);
  if (step < 28 * DAY) return shortDay.format(shown);
  return shown.getMonth() === 0 ? String(shown.getFullYear()) : monthName.format(shown);
};

export const times = (plot, splits, axis, space, step) => splits.map((each) => timeAt(each, step));

export const numbers = (plot, splits, axis, space, step) =>
  splits.map((each) => decimal(each, step < 1 ? 1 : 0));

// At least five units high, so that a quiet value looks quiet; a share of the whole shows the whole.
export const height = (unit) => (plot, low, high) => {
  if (low === null || high === null) return [0, unit === "%" ? 100 : 10];
  if (unit === "%") return [Math.min(0, low), Math.max(100, high)];
  const middle = (low + high) / 2;
  const half = Math.max(2.5, (high - low) * 0.54);
  return [middle - half, middle + half];
};

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
