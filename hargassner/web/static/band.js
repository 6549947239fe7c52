// What the boiler did, as a coloured band under its temperatures.

import { element, knows, say } from "./base.js";
import { colour } from "./axes.js";

const KNOWN = ["off", "ignition", "burning", "embers", "burn_out", "ash_removal", "cleaning", "fault", "other"];
export const BAND = 12; // pixels

const kind = (state, code) => state.activities[String(code)] ?? "other";
export const wordsOf = (activity) => (knows(`page.activity.${activity}`) ? say(`page.activity.${activity}`) : activity);

// Of minutes and quarters: a piece for each stretch with the same activity.
const stretches = (answer) => {
  const pieces = [];
  answer.times.forEach((time, place) => {
    const code = answer.state.values[place];
    if (code === null || code === undefined) return;
    const activity = kind(answer.state, code);
    const last = pieces[pieces.length - 1];
    if (last && last.activity === activity && last.end === time) last.end = time + answer.step;
    else pieces.push({ begin: time, end: time + answer.step, activity, from: 0, to: 1 });
  });
  return pieces;
};

// Of days: each day's hours, stacked.
const stacks = (answer) => {
  const pieces = [];
  answer.days.forEach((day, place) => {
    if (!day) return;
    const hours = new Map();
    for (const each of day.states) hours.set(each.activity, (hours.get(each.activity) ?? 0) + each.hours);
    let from = 0;
    for (const activity of KNOWN) {
      const part = (hours.get(activity) ?? 0) / 24;
      if (part) pieces.push({ begin: answer.times[place], end: answer.times[place] + answer.step, activity, from, to: from + part });
      from += part;
    }
  });
  return pieces;
};

export const bandOf = (answer) => {
  if (!answer.state) return [];
  return answer.state.values ? stretches(answer) : stacks(answer);
};

export const drawBand = (plot, pieces) => {
  const { ctx, bbox } = plot;
  const high = BAND * devicePixelRatio;
  const top = bbox.top + bbox.height + 2 * devicePixelRatio;
  const colours = Object.fromEntries(KNOWN.map((each) => [each, colour(`--do-${each.replace("_", "-")}`)]));
  ctx.save();
  for (const piece of pieces) {
    const left = Math.max(bbox.left, plot.valToPos(piece.begin, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(piece.end, "x", true));
    if (right <= left) continue;
    ctx.fillStyle = colours[piece.activity];
    ctx.fillRect(left, top + high * (1 - piece.to), right - left, high * (piece.to - piece.from));
  }
  ctx.restore();
};

export const bandLegend = (pieces) => {
  const there = new Set(pieces.map((each) => each.activity));
  return element("ul", "doing", ...KNOWN.filter((each) => there.has(each)).map((each) => element("li", `do-${each.replace("_", "-")}`, wordsOf(each))));
};

export const stateAt = (answer, place) => {
  const { state } = answer;
  if (!state || !state.values) return "";
  const code = state.values[place];
  return code === null || code === undefined ? "" : state.texts[String(code)] ?? String(code);
};
