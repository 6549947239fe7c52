// The boiler as it is now: its state, faults, pellets, buffer, hot water, circuits.

import { amount, byId, date, dayDate, decimal, drawn, element, moment, now, number, quantity, say, since } from "./base.js";

export const showFaults = (faults) => {
  byId("faults").hidden = faults.length === 0;
  byId("fault-list").replaceChildren(...faults.map((fault) => {
    const head = element("p", "", fault.number === null ? "" : `${fault.number} · `, fault.text, element("time", "", since(fault.since)));
    return element("li", "", head, fault.advice ? element("p", "do", fault.advice) : null);
  }));
  showInTab(faults);
};

// The tab tells a fault too: it is what is seen of the page while another one is looked at.
const title = document.title;
const showInTab = (faults) => {
  document.title = faults.length ? `⚠ ${faults[0].text} – ${title}` : title;
  const icon = faults.length ? "icon-fault.svg" : "icon.svg";
  if (byId("icon").getAttribute("href") !== icon) byId("icon").setAttribute("href", icon);
};

export const showIdentity = (identity) => {
  byId("identity").textContent = [identity.model, identity.firmware].filter(Boolean).join(" · ");
};

const tile = (name, content, below, classes = "") =>
  element("div", classes, element("dt", "", name), element("dd", "", content, below ? element("span", "quiet", below) : null));

export const showBoiler = (boiler) => {
  const has = boiler.state || boiler.tiles.length;
  byId("boiler").hidden = !has;
  byId("boiler").classList.toggle("is-stale", !boiler.current);
  byId("stale").hidden = boiler.current;
  byId("table").classList.toggle("is-stale", !boiler.current);
  byId("boiler-state").textContent = boiler.state ? boiler.state.text : "";
  byId("boiler-since").textContent = boiler.state ? since(boiler.state.since) : "";
  byId("tiles").replaceChildren(...boiler.tiles.map((each) => tile(each.label, quantity(each.value))));
  showPellets(boiler.pellets);
  showBuffer(boiler.buffer);
  showRows("water", boiler.water);
  showRows("circuits", boiler.circuits);
};

const lasting = (lasts) => {
  const below = say("page.pace", { amount: decimal(lasts.pace, 1) });
  if (lasts.days === null) return tile(say("page.lasts"), say("page.lasts.long"), below, "whole");
  const until = say("page.lasts.until", { date: dayDate.format(date(now() + lasts.days * 86400)) });
  const days = say(lasts.days === 1 ? "page.day" : "page.days", { count: decimal(lasts.days, 0) });
  return tile(say("page.lasts"), days, `${until} · ${below}`, "whole");
};

const showPellets = (pellets) => {
  const tiles = [];
  if (pellets.stock !== null) tiles.push(tile(say("page.stock"), amount(pellets.stock, "kg")));
  if (pellets.today !== null) {
    const begun = pellets.since === null ? "" : say("page.today.since", { time: moment(pellets.since) });
    tiles.push(tile(say("page.today"), amount(pellets.today, "kg"), begun));
  }
  if (pellets.lasts) tiles.push(lasting(pellets.lasts));
  byId("pellets").hidden = tiles.length === 0;
  byId("pellets").classList.toggle("soon", Boolean(pellets.lasts && pellets.lasts.days !== null && pellets.lasts.days < 14));
  byId("pellets").querySelector("dl").replaceChildren(...tiles);
};

const showRows = (id, parts) => {
  byId(id).hidden = parts.length === 0;
  byId(id).querySelector(".rows").replaceChildren(...parts.map((part) => {
    const words = element("span", "quiet capital", part.state ? part.state.text : "");
    if (part.pump) words.append(part.state ? " · " : "", element("span", "pump", say("page.pump.on")));
    const more = [];
    // A target of nothing is none.
    if (part.target && Number(part.target.text) !== 0) more.push(`${say("page.set")} ${number(part.target.text)}`);
    if (part.room) more.push(`${say("page.room")} ${number(part.room.text)}`);
    return element("li", "", element("span", "", part.name), element("b", "", quantity(part.value)), words, element("span", "quiet", more.join(" · ")));
  }));
};

// From 20 °C to 80 °C, from cool to hot.
const warmth = (value) => {
  const part = Math.min(1, Math.max(0, (Number(value.text) - 20) / 60)) * 100;
  return part < 50
    ? `color-mix(in oklab, var(--warm) ${part * 2}%, var(--cool))`
    : `color-mix(in oklab, var(--hot) ${(part - 50) * 2}%, var(--warm))`;
};

const showBuffer = (buffer) => {
  byId("buffer").hidden = !buffer;
  if (!buffer) return;
  const heights = ["top", "middle", "bottom"].filter((each) => buffer[each]);
  const gradient = drawn("linearGradient", { id: "warmth", x1: 0, y1: 0, x2: 0, y2: 1 });
  heights.forEach((each, place) => {
    const stop = drawn("stop", { offset: heights.length > 1 ? place / (heights.length - 1) : 0 });
    stop.style.stopColor = warmth(buffer[each]);
    gradient.append(stop);
  });
  const tank = { x: 3, y: 3, width: 78, height: 144, rx: 24 };
  const picture = drawn("svg", { viewBox: "0 0 84 150", "aria-hidden": "true" },
    drawn("defs", {}, gradient), drawn("rect", { ...tank, fill: "url(#warmth)" }), drawn("rect", { ...tank, class: "shell" }));
  if (buffer.fill) {
    const at = 147 - 1.44 * Math.min(100, Math.max(0, Number(buffer.fill.text)));
    picture.append(drawn("line", { class: "level", x1: 6, x2: 78, y1: at, y2: at }));
  }
  const list = element("dl", "", ...heights.map((each) => element("div", "", element("dt", "", say(`page.buffer.${each}`)), element("dd", "", quantity(buffer[each])))));
  const fill = element("p", "fill quiet");
  if (buffer.fill) fill.append(element("b", "", quantity(buffer.fill)), say("page.charged"));
  if (buffer.state) fill.append(element("span", "capital", buffer.state.text));
  byId("buffer-picture").replaceChildren(picture, list, fill);
};
