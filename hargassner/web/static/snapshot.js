// What was last seen, kept by the browser, so that the page has something to show where the bridge
// cannot be reached. It is then shown as old.

import { kept, lastTold } from "./base.js";

const KEY = "hargassner-last-seen";
const EVERY = 60000; // ms between two writings
let written = -Infinity; // by performance.now()

export const keep = (values) => {
  if (performance.now() - written < EVERY) return;
  written = performance.now();
  kept.write(KEY, JSON.stringify({ now: lastTold(), values: Object.fromEntries(values) }));
};

// What was kept: its date and values, null where there is nothing or it is damaged.
export const lastSeen = () => {
  try {
    const found = JSON.parse(kept.read(KEY));
    return found && typeof found.now === "number" && found.values ? found : null;
  } catch {
    return null;
  }
};
