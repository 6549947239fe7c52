// Shows what the bridge tells, as it tells it. Everything kept here is bounded: the page may stay
// open for days.

import { byId, dayTime, date, isTold, lastTold, moment, say, tell, version } from "./base.js";
import { showBoiler, showFaults, showIdentity } from "./boiler.js";
import { followBars, loadBars } from "./bars.js";
import { showChain } from "./chain.js";
import { followHistory, loadHistory } from "./history.js";
import { beginLines, showLines } from "./lines.js";
import { keep, lastSeen } from "./snapshot.js";
import { count, goneFrom, showBits, showRow, showWords } from "./table.js";

const SILENCE = 15000; // ms after which a stream is taken for dead; something comes every 5 s
const GRACE = 2000; // ms that a stream that broke off may take to come back before it is said
const RECOVER = 5000; // ms before a stream that the browser gave up is opened again

const values = new Map();
const shows = { chain: showChain, boiler: showBoiler, faults: showFaults, identity: showIdentity, words: showWords, bits: showBits };

const take = (changes) => {
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) values.delete(key);
    else values.set(key, value);
    if (Object.hasOwn(shows, key)) shows[key](value);
    else showRow(key, value);
  }
  count();
};

// The stream.

let stream = null;
let heard = 0; // when something was last heard, by performance.now()
let broken = 0; // when the stream broke off, by performance.now(); 0 while it stands
let isOld = false; // whether what is shown is what was last seen, of an earlier visit

const goneText = () => {
  if (!isTold()) return say("page.lost");
  return say("page.gone", { time: isOld ? dayTime.format(date(lastTold())) : moment(lastTold()) });
};

const showGone = () => {
  const gone = (broken && performance.now() - broken > GRACE) || performance.now() - heard > SILENCE;
  document.body.classList.toggle("gone", Boolean(gone));
  byId("gone").hidden = !gone;
  const text = gone ? goneText() : "";
  // What is said aloud is said once.
  if (byId("gone").textContent !== text) byId("gone").textContent = text;
  if (gone) showOld();
};

// Where the bridge was not reached since the page was opened, what was seen before is shown.
const showOld = () => {
  if (isTold()) return;
  const found = lastSeen();
  if (!found) return;
  isOld = true;
  tell(found.now);
  take(found.values);
  loadHistory();
  loadBars();
};

const connected = (is) => {
  broken = is ? 0 : broken || performance.now();
  showGone();
  byId("connection").className = is ? "" : "lost";
  byId("connection-text").textContent = say(is ? "page.live.on" : "page.lost");
};

const hear = (event) => {
  const data = JSON.parse(event.data);
  heard = performance.now();
  isOld = false;
  tell(data.now);
  connected(true);
  return data;
};

const begin = (data) => {
  for (const key of goneFrom(data.values)) take({ [key]: null });
  take(data.values);
  beginLines(data.lines);
  loadHistory();
  loadBars();
};

const open = () => {
  if (stream) stream.close();
  heard = performance.now();
  stream = new EventSource("api/events");
  stream.addEventListener("state", (event) => {
    const data = hear(event);
    // A bridge that was replaced by another version has another page.
    if (data.version !== version) location.reload();
    else begin(data);
  });
  stream.addEventListener("change", (event) => {
    const data = hear(event);
    take(data.values);
    if (data.lines.length) showLines(data.lines);
    keep(values);
    followHistory((key) => values.get(key));
    followBars();
  });
  stream.addEventListener("alive", hear);
  stream.addEventListener("error", () => connected(false));
};

setInterval(() => {
  const silent = performance.now() - heard;
  if (silent > SILENCE || (stream.readyState === EventSource.CLOSED && silent > RECOVER)) {
    connected(false);
    open();
  }
}, RECOVER);
setInterval(showGone, 1000);
document.addEventListener("visibilitychange", showGone);

// The theme: the device's, light, dark, and round again.

const themes = ["", "light", "dark"];
let theme = 0;
try {
  theme = Math.max(0, themes.indexOf(localStorage.getItem("hargassner-theme") || ""));
} catch {
  // Nothing is kept: it begins with the device's.
}
const nameTheme = () => {
  const name = say(`page.theme.${themes[theme] || "device"}`);
  byId("theme").setAttribute("aria-label", say("page.theme", { name }));
  byId("theme").title = say("page.theme", { name });
  byId("theme").dataset.shows = themes[theme] || "device";
};
byId("theme").addEventListener("click", () => {
  theme = (theme + 1) % themes.length;
  document.dispatchEvent(new CustomEvent("choose-theme", { detail: themes[theme] }));
  nameTheme();
});
nameTheme();

// Where the browser allows it (localhost and HTTPS), the page itself is kept for later.
if ("serviceWorker" in navigator) navigator.serviceWorker.register("worker.js").catch(() => {});

byId("version").textContent = `hargassner-bridge ${version}`;
connected(false);
count();
open();
