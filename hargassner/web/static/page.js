// Shows what the bridge tells. Everything that came over the wire is put in as text, never as
// markup, and everything kept here is bounded: the page may stay open for days.
"use strict";

(() => {
  const texts = JSON.parse(document.documentElement.dataset.texts);
  const language = document.documentElement.lang;
  const version = document.documentElement.dataset.version;
  const LINES = 300; // of dialogue and of log, each
  const SAMPLES = 1440; // of each line of a chart
  const SILENCE = 15000; // ms after which a stream is taken for dead; something comes every 5 s
  const GRACE = 2000; // ms that a stream that broke off may take to come back before it is said
  const RECOVER = 5000; // ms before a stream that the browser gave up is opened again
  const DAY = 86400;

  const byId = (id) => document.getElementById(id);
  const say = (key, fields = {}) =>
    texts[key].replace(/\{(\w+)\}/g, (all, name) => (name in fields ? fields[name] : all));

  const element = (name, classes = "", ...children) => {
    const made = document.createElement(name);
    if (classes) made.className = classes;
    made.append(...children.filter((each) => each !== null && each !== undefined));
    return made;
  };
  const drawn = (name, attributes, ...children) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  // Numbers and times.

  const clockTime = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: false });
  const secondTime = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  const dayTime = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false });

  // Only the bridge's dates count. What has passed since it told the last one is measured by a
  // clock that nobody sets: the browser's date may be wrong, and may change.
  let told = { now: 0, at: 0 };
  const now = () => told.now + (performance.now() - told.at) / 1000;
  const moment = (at) => {
    const shown = new Date(at * 1000);
    return shown.toDateString() === new Date(now() * 1000).toDateString() ? clockTime.format(shown) : dayTime.format(shown);
  };
  const since = (at) => (at === null || at === undefined ? "" : say("page.since", { time: moment(at) }));

  // The boiler's own precision, with the language's decimal sign.
  const number = (text) => {
    if (!/^-?\d+(\.\d+)?$/.test(text)) return text;
    const places = (text.split(".")[1] || "").length;
    return Number(text).toLocaleString(language, { minimumFractionDigits: places, maximumFractionDigits: places });
  };
  const quantity = (value) => {
    if (!value) return null;
    const made = element("span", "", number(value.text));
    if (value.unit) made.append(element("span", "unit", value.unit));
    return made;
  };

  // What is known.

  const values = new Map();

  // The chain.

  const showChain = (chain) => {
    const advice = [];
    // A bridge that only reads the boiler has no gateway in its chain.
    for (const each of document.querySelectorAll("[data-node], [data-link]")) {
      each.hidden = !((each.dataset.node || each.dataset.link) in chain);
    }
    for (const [name, link] of Object.entries(chain)) {
      const node = document.querySelector(`[data-node="${name}"]`);
      node.className = `node ${name} ${link.level}`;
      node.dataset.state = link.state;
      node.querySelector(".state").textContent = link.text;
      node.querySelector(".more").textContent = [link.address, since(link.since)].filter(Boolean).join(" · ");
      const line = document.querySelector(`[data-link="${name}"]`);
      if (line) line.className = `link ${link.level}${name === "broker" ? " down" : ""}`;
      if (link.advice) {
        const item = element("li", link.level, element("strong", "", `${say(`page.node.${name}`)}: ${link.text}`), link.advice);
        if (link.problem) item.append(element("small", "", link.problem));
        advice.push(item);
      }
    }
    byId("advice").replaceChildren(...advice);
  };

  // The boiler.

  const showFaults = (faults) => {
    byId("faults").hidden = faults.length === 0;
    byId("faults").replaceChildren(
      ...faults.map((fault) =>
        element("p", "", fault.number === null ? "" : `${fault.number} · `, fault.text, element("time", "", since(fault.since)))),
    );
  };

  const showIdentity = (identity) => {
    byId("identity").textContent = [identity.model, identity.firmware].filter(Boolean).join(" · ");
  };

  const tile = (name, content, below) =>
    element("div", "", element("dt", "", name), element("dd", "", content, below ? element("span", "quiet", below) : null));

  const showBoiler = (boiler) => {
    const pellets = boiler.pellets;
    const has = boiler.state || boiler.tiles.length;
    byId("boiler").hidden = !has;
    byId("boiler").classList.toggle("is-stale", !boiler.current);
    byId("stale").hidden = boiler.current;
    byId("table").classList.toggle("is-stale", !boiler.current);
    byId("boiler-state").textContent = boiler.state ? boiler.state.text : "";
    byId("boiler-since").textContent = boiler.state ? since(boiler.state.since) : "";
    byId("tiles").replaceChildren(...boiler.tiles.map((each) => tile(each.label, quantity(each.value))));
    showBuffer(boiler.buffer);
    showRows("water", boiler.water);
    showRows("circuits", boiler.circuits);
    const amounts = [];
    const kilograms = (amount) => quantity({ text: String(Math.round(amount * 10) / 10), unit: "kg" });
    if (pellets.stock !== null) amounts.push(tile(say("page.stock"), kilograms(pellets.stock)));
    if (pellets.today !== null) {
      const begun = pellets.since === null ? "" : say("page.today.since", { time: moment(pellets.since) });
      amounts.push(tile(say("page.today"), kilograms(pellets.today), begun));
    }
    byId("pellets").hidden = amounts.length === 0;
    byId("pellets").querySelector("dl").replaceChildren(...amounts);
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
      return element("div", "", element("span", "", part.name), element("b", "", quantity(part.value)), words, element("span", "quiet", more.join(" · ")));
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
    const list = element("dl", "", ...heights.map((each) => element("dd", "", quantity(buffer[each]))));
    const fill = element("p", "fill quiet");
    if (buffer.fill) fill.append(element("b", "", quantity(buffer.fill)), say("page.charged"));
    if (buffer.state) fill.append(element("span", "capital", buffer.state.text));
    byId("buffer-picture").replaceChildren(picture, list, fill);
  };

  // The table. A row is made once for each key, and thrown away with it.

  const rows = new Map();
  let needle = "";

  const matches = (row) => needle.split(/\s+/).every((word) => row.words.includes(word));

  const showRow = (key, entry) => {
    let row = rows.get(key);
    if (!entry) {
      if (row) row.line.remove();
      rows.delete(key);
      return;
    }
    if (!row) {
      row = { line: element("tr"), name: element("td"), raw: element("td", "raw"), value: element("td", "number"), since: element("td", "number since"), words: "" };
      row.line.append(row.name, row.raw, row.value, row.since);
      rows.set(key, row);
      byId("rows").append(row.line);
    }
    const unconnected = entry.connected === false;
    row.line.className = unconnected ? "unconnected" : "";
    row.name.replaceChildren(entry.label);
    if (unconnected) row.name.append(element("small", "", say("page.unconnected")));
    else if (entry.kind === "setting") row.name.append(element("small", "", say("page.setting")));
    row.raw.textContent = entry.name;
    row.value.replaceChildren(entry.value === null ? "–" : entry.value);
    if (entry.unit) row.value.append(element("span", "unit", entry.unit));
    if (entry.meaning) row.value.prepend(element("span", "meaning", entry.meaning));
    row.at = entry.since;
    row.since.textContent = row.at === null ? "" : moment(row.at);
    row.words = [entry.label, entry.name, entry.value, entry.unit, entry.meaning].filter(Boolean).join(" ").toLowerCase();
    row.line.hidden = !matches(row);
  };

  const count = () => {
    const shown = [...rows.values()].filter((row) => !row.line.hidden).length;
    byId("count").textContent = rows.size ? say("page.count", { shown, all: rows.size }) : "";
    byId("table").hidden = rows.size === 0;
    byId("no-values").hidden = rows.size !== 0;
  };

  byId("search").placeholder = say("page.search");
  byId("search").addEventListener("input", (event) => {
    needle = event.target.value.trim().toLowerCase();
    for (const row of rows.values()) row.line.hidden = !matches(row);
    count();
  });

  // Dialogue and log.

  const showLines = (lines) => {
    const consoles = { dialogue: byId("dialogue"), log: byId("log") };
    const followed = Object.values(consoles).filter((each) => each.scrollHeight - each.scrollTop - each.clientHeight < 40);
    for (const line of lines) {
      const time = element("time", "", secondTime.format(new Date(line.at * 1000)));
      const item = line.kind === "dialogue"
        ? element("li", "", time, element("span", `who from-${line.from}`, say(`page.from.${line.from}`)), element("span", "", line.text))
        : element("li", line.level, time, element("span", "", line.text));
      consoles[line.kind].append(item);
    }
    for (const each of Object.values(consoles)) {
      while (each.children.length > LINES) each.firstElementChild.remove();
      if (!each.children.length) each.append(element("li", "empty", say("page.no.lines")));
      else if (each.children.length > 1) each.querySelector(".empty")?.remove();
    }
    for (const each of followed) each.scrollTop = each.scrollHeight;
  };

  // Charts.

  let charts = { step: 60, charts: [] };
  let sampled = 0; // when the last sample was added here
  let asked = -Infinity; // when the history was last asked for, by performance.now()

  const loadHistory = async () => {
    asked = performance.now();
    try {
      const answer = await fetch("api/history");
      if (!answer.ok) return;
      charts = await answer.json();
      sampled = charts.newest === null ? 0 : charts.newest;
      showCharts();
    } catch {
      // The bridge is away; it is asked again as soon as it is back.
    }
  };

  const sample = () => {
    const boiler = values.get("boiler");
    if (!boiler || !charts.charts.length || now() - sampled < charts.step) return;
    const missed = sampled ? Math.min(SAMPLES, Math.floor((now() - sampled) / charts.step)) : 1;
    for (const chart of charts.charts) {
      for (const line of chart.lines) {
        const entry = values.get(`channel/${line.object}`);
        const value = entry && boiler.current && entry.connected ? Number(entry.value) : NaN;
        for (let gap = 1; gap < missed; gap += 1) line.values.push(null);
        line.values.push(Number.isFinite(value) ? value : null);
        if (line.values.length > SAMPLES) line.values.splice(0, line.values.length - SAMPLES);
      }
    }
    sampled = Math.floor(now() / charts.step) * charts.step;
    charts.newest = sampled;
    showCharts();
  };

  const HEIGHT = 130;
  const LEFT = 34;
  const FLOOR = HEIGHT - 18;
  const FRAME = 34; // what a chart's card needs of its width

  const legends = new Map(); // where a line's value now is shown, by its channel's key
  let width = 0;

  const showCharts = () => {
    const column = parseFloat(getComputedStyle(byId("charts")).gridTemplateColumns);
    width = Math.max(200, (column || 400) - FRAME);
    legends.clear();
    byId("no-history").hidden = charts.charts.length > 0;
    byId("charts").replaceChildren(...charts.charts.map(showChart));
    for (const key of legends.keys()) showLegend(key);
  };

  const showLegend = (key) => {
    const entry = values.get(key);
    const shown = entry && entry.value !== null ? ` ${number(entry.value)} ${entry.unit}` : "";
    legends.get(key).textContent = shown;
  };

  new ResizeObserver(() => {
    const column = parseFloat(getComputedStyle(byId("charts")).gridTemplateColumns);
    if (Math.abs(column - FRAME - width) > 1) showCharts();
  }).observe(byId("charts"));

  const ticks = (low, high) => {
    const rough = (high - low) / 3;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
    const found = [];
    for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(Math.round(at * 1e6) / 1e6);
    return found;
  };

  const showChart = (chart) => {
    const known = chart.lines.flatMap((line) => line.values.filter((value) => value !== null));
    let low = Math.min(...known, ...(chart.lines[0].unit === "%" ? [0] : []));
    let high = Math.max(...known, ...(chart.lines[0].unit === "%" ? [100] : []));
    if (!known.length) [low, high] = [0, 100];
    if (high - low < 5) [low, high] = [(low + high) / 2 - 2.5, (low + high) / 2 + 2.5];
    const longest = Math.max(...chart.lines.map((line) => line.values.length));
    // A history that is young is not squeezed into a corner of the day.
    const span = Math.min(DAY, Math.max(longest * charts.step, 600));
    const end = charts.newest === null ? now() : charts.newest;
    const x = (at) => LEFT + (width - LEFT) * (1 - (end - at) / span);
    const y = (value) => 6 + (FLOOR - 6) * (1 - (value - low) / (high - low));
    const picture = drawn("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": chart.title });
    for (const value of ticks(low, high)) {
      picture.append(drawn("line", { class: "grid", x1: LEFT, x2: width, y1: y(value), y2: y(value) }));
      picture.append(label(LEFT - 6, y(value) + 4, "end", value.toLocaleString(language)));
    }
    const between = [300, 600, 900, 1800, 3600, 7200, 10800, 21600].find((each) => span / each <= 5) || 21600;
    const zone = new Date(end * 1000).getTimezoneOffset() * 60;
    for (let at = Math.ceil((end - span - zone) / between) * between + zone; at <= end; at += between) {
      if (x(at) > LEFT + 12 && x(at) < width - 14) picture.append(label(x(at), HEIGHT - 3, "middle", clockTime.format(new Date(at * 1000))));
    }
    const legend = element("ul");
    chart.lines.forEach((line, place) => {
      const colour = `c${(place % 6) + 1}`;
      const begin = end - (line.values.length - 1) * charts.step;
      let path = "";
      let pen = false;
      line.values.forEach((value, index) => {
        if (value !== null) {
          const point = `${x(begin + index * charts.step).toFixed(1)} ${y(value).toFixed(1)}`;
          // A sample between two gaps is a dot.
          path += pen ? `L${point}` : `M${point}h.01`;
        }
        pen = value !== null;
      });
      picture.append(drawn("path", { class: colour, d: path }));
      const value = element("b");
      legends.set(`channel/${line.object}`, value);
      legend.append(element("li", colour, element("span", "", line.label, value)));
    });
    return element("article", "chart", element("h3", "", chart.title), picture, legend);
  };

  const label = (x, y, anchor, text) => drawn("text", { x, y, "text-anchor": anchor }, text);

  // The stream.

  let stream = null;
  let heard = 0; // when something was last heard, by performance.now()

  let broken = 0; // when the stream broke off, by performance.now(); 0 while it stands

  const showGone = () => {
    const gone = (broken && performance.now() - broken > GRACE) || performance.now() - heard > SILENCE;
    document.body.classList.toggle("gone", gone);
    byId("gone").hidden = !gone;
    byId("gone").textContent = gone && told.now ? say("page.gone", { time: moment(told.now) }) : say("page.lost");
  };

  const connected = (is) => {
    broken = is ? 0 : broken || performance.now();
    showGone();
    byId("connection").className = is ? "" : "lost";
    byId("connection-text").textContent = say(is ? "page.live.on" : "page.lost");
  };

  const shows = { chain: showChain, boiler: showBoiler, faults: showFaults, identity: showIdentity };

  const take = (changes) => {
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) values.delete(key);
      else values.set(key, value);
      if (key in shows) shows[key](value);
      else showRow(key, value);
      if (legends.has(key)) showLegend(key);
    }
    count();
  };

  const hear = (event) => {
    const data = JSON.parse(event.data);
    heard = performance.now();
    told = { now: data.now, at: heard };
    connected(true);
    return data;
  };

  const open = () => {
    if (stream) stream.close();
    heard = performance.now();
    stream = new EventSource("api/events");
    stream.addEventListener("state", (event) => {
      const data = hear(event);
      if (data.version !== version) {
        // The bridge was replaced by another version: so is the page.
        location.reload();
        return;
      }
      const gone = [...rows.keys()].filter((key) => !(key in data.values));
      for (const key of gone) take({ [key]: null });
      take(data.values);
      byId("dialogue").replaceChildren();
      byId("log").replaceChildren();
      showLines(data.lines);
      for (const each of [byId("dialogue"), byId("log")]) each.scrollTop = each.scrollHeight;
      loadHistory();
    });
    stream.addEventListener("change", (event) => {
      const data = hear(event);
      take(data.values);
      if (data.lines.length) showLines(data.lines);
      sample();
      if (performance.now() - asked > (charts.charts.length ? 3600000 : 15000)) loadHistory();
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

  byId("version").textContent = `hargassner-bridge ${version}`;
  connected(false);
  count();
  open();
})();
