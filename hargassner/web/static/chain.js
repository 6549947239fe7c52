// The chain from the gateway to the boiler and the broker. It is one line while all is well, and
// unfolds by itself where it breaks; who has folded or unfolded it himself is left alone.

import { byId, element, say, since } from "./base.js";

const details = byId("chain");
let isWell = null;

const lineOf = (chain) => {
  const wrong = Object.entries(chain).filter(([, link]) => !["ok", "off"].includes(link.level));
  if (!wrong.length) {
    const hinted = Object.values(chain).some((link) => link.advice);
    return say("page.chain.well") + (hinted ? ` · ${say("page.chain.hint")}` : "");
  }
  return wrong.map(([name, link]) => `${say(`page.node.${name}`)}: ${link.text}`).join(" · ");
};

const worst = (chain) => {
  const levels = Object.values(chain).map((link) => link.level);
  return ["broken", "not-understood", "wait"].find((each) => levels.includes(each)) || "ok";
};

const adviceOf = (name, link) => {
  if (!link.advice) return null;
  const item = element("li", link.level, element("strong", "", `${say(`page.node.${name}`)}: ${link.text}`), link.advice);
  if (link.problem) item.append(element("small", "", link.problem));
  return item;
};

export const showChain = (chain) => {
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
  }
  const advice = Object.entries(chain).map(([name, link]) => adviceOf(name, link)).filter(Boolean);
  byId("advice").replaceChildren(...advice);
  const level = worst(chain);
  byId("chain-line").className = level;
  byId("chain-text").textContent = lineOf(chain);
  if (isWell !== (level === "ok")) details.open = level !== "ok";
  isWell = level === "ok";
};
