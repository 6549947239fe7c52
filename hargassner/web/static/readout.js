// A picture of values in a row that can be read by hover, by touch and by keyboard. To a screen
// reader it is a slider that tells what is at its place.

import { say } from "./base.js";

const STEPS = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: 1, ArrowDown: -1 };

// on: the element that takes the focus; size(): how many places there are; at(place): shows one,
// null for none; words(place): what is there, in words.
export const readable = (on, title, { size, at, words }) => {
  let place = null;
  on.tabIndex = 0;
  on.setAttribute("role", "slider");
  on.setAttribute("aria-label", title);
  const tell = () => {
    on.setAttribute("aria-valuemin", 0);
    on.setAttribute("aria-valuemax", Math.max(0, size() - 1));
    on.setAttribute("aria-valuenow", place ?? Math.max(0, size() - 1));
    on.setAttribute("aria-valuetext", place === null ? say("page.chart.keys") : words(place));
  };
  const go = (to) => {
    if (!size()) return;
    place = Math.min(size() - 1, Math.max(0, to));
    at(place);
    tell();
  };
  on.addEventListener("keydown", (event) => {
    const last = size() - 1;
    const far = Math.max(1, Math.round(size() / 12));
    const from = place ?? last + 1;
    if (event.key in STEPS) go(from + STEPS[event.key]);
    else if (event.key === "PageUp") go(from + far);
    else if (event.key === "PageDown") go(from - far);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(last);
    else if (event.key === "Escape") leave();
    else return;
    event.preventDefault();
  });
  const leave = () => {
    place = null;
    at(null);
    tell();
  };
  on.addEventListener("blur", leave);
  tell();
  return { moved: (to) => { place = to; tell(); } };
};
