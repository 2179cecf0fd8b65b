/** The page of recorded runs: their headings and panels at one moment, and what sets it. */

import { addPath, dashes, markerPath } from "../drawing.js";
import { shareText, valueText } from "../numbers.js";
import { Player } from "../player.js";
import { CurvesPanel, FitPanel, setColors } from "./charts.js";
import { countUntil, floatsOf, momentNumber } from "./decode.js";
import { BoundaryPanel, PlanePanel } from "./maps.js";

/** @typedef {import("./charts.js").Run} Run */
/** @typedef {import("./charts.js").Panel} AnyPanel */

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const config = JSON.parse(byId("config").textContent ?? "");
/** @type {Run[]} */
const runs = config.runs.map(decodeRun);
/** @type {import("./charts.js").Show} */
const show = { runs, unit: config.unit, moments: config.moments, hidden: new Set(), now: 0 };
const last = config.moments.length - 1;
const panels = /** @type {AnyPanel[]} */ ([]);
const headings = runs.map(makeHeading);
const player = new Player(last, showIndex, showPlaying);
let index = 0;
let chosen = 0;

/** @param {string} id */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {any} given */
function decodeRun(given) {
  return {
    ...given,
    losses: floatsOf(given.losses),
    left: given.left === null ? null : floatsOf(given.left),
    details: given.details.map(
      (/** @type {{name: string, values: string}} */ { name, values }) => ({
        name,
        values: floatsOf(values),
      }),
    ),
  };
}

// --- headings ---------------------------------------------------------------------------------

/**
 * Draw line and marker of a run.
 * @param {Element} svg
 * @param {Run} run
 */
function drawKey(svg, run) {
  addPath(svg, "run", "M1 8H43", { "stroke-width": 3, "stroke-dasharray": dashes(run.style, 3) });
  addPath(svg, "head", markerPath(run.style[0], 22, 8, 5.5));
}

/**
 * Make the article and the chip of a run.
 * @param {Run} run
 * @param {number} place
 */
function makeHeading(run, place) {
  const template = /** @type {HTMLTemplateElement} */ (byId("run"));
  const article = /** @type {HTMLElement} */ (template.content.cloneNode(true)).querySelector(
    "article",
  );
  if (!article) throw new Error("the template of a run has no article");
  const [chip, shower] = [document.createElement("label"), document.createElement("button")];
  setColors(article, run);
  setColors(chip, run);
  setColors(shower, run);
  const find = (/** @type {string} */ selector) =>
    /** @type {HTMLElement} */ (article.querySelector(selector));
  find("h2").textContent = run.name;
  find("h2").id = `name-${place}`;
  article.setAttribute("aria-labelledby", `name-${place}`);
  drawKey(find(".sample"), run);
  const hide = /** @type {HTMLButtonElement} */ (find(".hide"));
  hide.setAttribute("aria-label", `Hide ${run.name}`);
  hide.addEventListener("click", () => setHidden(place, true));
  chip.className = "chip";
  chip.innerHTML =
    '<input type="radio" name="run"><svg class="sample" viewBox="0 0 44 16" aria-hidden="true"></svg>';
  drawKey(/** @type {Element} */ (chip.querySelector("svg")), run);
  chip.append(run.name.replaceAll("learning rate", "lr"));
  chip.addEventListener("change", () => choose(place));
  byId("chips").append(chip);
  shower.textContent = `Show ${run.name}`;
  shower.hidden = true;
  shower.addEventListener("click", () => setHidden(place, false));
  byId("showers").append(shower);
  byId("runs").append(article);
  return {
    article,
    chip,
    shower,
    hide,
    loss: find(".loss"),
    detail: find(".detail"),
    verdict: find(".verdict"),
  };
}

/**
 * Write the numbers of a run and, once it is seen, its verdict. Returns the verdict.
 * @param {Run} run
 * @param {number} place
 */
function writeHeading(run, place) {
  const { now, unit } = show;
  const { loss, detail, verdict } = headings[place];
  const record = countUntil(run.times, now) - 1;
  const isKnown = run.verdict !== null && record >= 0 && now >= run.verdict.at;
  verdict.classList.toggle("known", isKnown);
  if (record < 0) {
    loss.textContent = "";
    detail.textContent = `starts at ${unit} ${momentNumber(run.times[0])}`;
    verdict.textContent = "";
    return "";
  }
  const value = run.losses[record];
  loss.textContent = Number.isNaN(value) ? "" : `loss ${valueText(value)}`;
  detail.textContent = detailOf(run, record);
  if (run.overflow !== null && now >= run.overflow.at) {
    loss.textContent = run.overflow.text;
    detail.textContent = "";
  }
  const left = run.left === null ? "" : `${shareText(run.left[record])} still to go`;
  verdict.textContent = isKnown ? (run.verdict?.text ?? "") : left;
  return isKnown ? (run.verdict?.text ?? "") : "";
}

/**
 * @param {Run} run
 * @param {number} record
 */
function detailOf(run, record) {
  const end = run.times[run.times.length - 1];
  if (show.now > end) return `ended at ${show.unit} ${momentNumber(end)}`;
  if (run.equations.length) return run.equations[record];
  const known = run.details.find(({ values }) => !Number.isNaN(values[record]));
  return known ? `${known.name} ${valueText(known.values[record])}` : "";
}

// --- one moment -------------------------------------------------------------------------------

/** @type {Set<string>} */
let said = new Set();

/** @param {number} to the index of the moment to show */
function showIndex(to) {
  index = to;
  show.now = show.moments[index];
  const known = new Set();
  runs.forEach((run, place) => {
    const verdict = writeHeading(run, place);
    if (verdict && !show.hidden.has(place)) known.add(`${run.name}: ${verdict}`);
  });
  for (const panel of panels) panel.draw();
  const text = `${momentNumber(show.now)} of ${momentNumber(show.moments[last])}`;
  byId("moment").textContent = text;
  const scrub = /** @type {HTMLInputElement} */ (byId("scrub"));
  scrub.value = String(index);
  scrub.setAttribute("aria-valuetext", `${show.unit} ${text}`);
  const fresh = [...known].filter((one) => !said.has(one));
  if (fresh.length) byId("live").textContent = fresh.join(". ");
  said = known;
  showPlaying();
  hideTip();
}

/** @param {number} by */
function step(by) {
  player.pause();
  showIndex(Math.max(0, Math.min(last, index + by)));
}

function showPlaying() {
  byId("play").classList.toggle("playing", player.isPlaying);
  const start = index === last ? "Replay" : "Play";
  byId("play-text").textContent = player.isPlaying ? "Pause" : start;
}

// --- runs and panels --------------------------------------------------------------------------

function makePanels() {
  for (const view of config.views) {
    if (view.across) {
      const Kind = view.kind === "plane" ? PlanePanel : CurvesPanel;
      add(new Kind(view, null, show), byId("across"));
      continue;
    }
    runs.forEach((_, place) => {
      const Kind = { curves: CurvesPanel, fit: FitPanel, boundary: BoundaryPanel }[
        /** @type {"curves" | "fit" | "boundary"} */ (view.kind)
      ];
      add(new Kind(view, place, show), headings[place].article);
    });
  }
  const own = config.views.filter((/** @type {{across?: boolean}} */ { across }) => !across).length;
  const shared = config.views.length - own;
  const style = document.body.style;
  style.setProperty("--own", String(own));
  style.setProperty("--columns", String(Math.max(1, Math.min(own, 3))));
  style.setProperty("--shared", String(shared));
  style.setProperty("--rows", String(own + Number(shared > 0)));
  byId("runs").classList.toggle("headings-only", own === 0);
  byId("app").classList.toggle("beside", own > 0 && shared > 0);
}

/** Tell the style sheet how many runs are shown. */
function countShown() {
  const shown = runs.length - show.hidden.size;
  const style = document.body.style;
  style.setProperty("--shown", String(shown));
  style.setProperty("--main", `${Math.min(shown, 3)}fr`);
  style.setProperty("--printed", String(Math.min(shown, 3)));
  byId("chips").hidden = shown < 2;
  byId("runs").classList.toggle("several", shown > 1);
  byId("runs").classList.toggle("single", shown === 1);
}

/**
 * @param {AnyPanel} panel
 * @param {HTMLElement} parent
 */
function add(panel, parent) {
  panels.push(panel);
  parent.append(panel.figure);
  const svg = panel.svg;
  const read = (/** @type {Event} */ event) => {
    const { clientX, clientY } = /** @type {PointerEvent} */ (event);
    const { left, top } = svg.getBoundingClientRect();
    showTip(panel, panel.read(clientX - left, clientY - top));
  };
  svg.addEventListener("pointermove", read);
  svg.addEventListener("pointerdown", read);
  svg.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") hideTip(); // a finger hides it with its next touch
  });
}

function resizeAll() {
  for (const panel of panels) if (panel.resize()) panel.draw();
  hideTip();
}

/** @param {number} place */
function choose(place) {
  chosen = place;
  headings.forEach(({ article, chip }, i) => {
    article.classList.toggle("chosen", i === chosen);
    const radio = /** @type {HTMLInputElement} */ (chip.querySelector("input"));
    radio.checked = i === chosen;
    if (i === chosen) chip.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
  resizeAll();
}

/**
 * @param {number} place
 * @param {boolean} isHidden
 */
function setHidden(place, isHidden) {
  if (isHidden) show.hidden.add(place);
  else show.hidden.delete(place);
  headings.forEach(({ article, chip, shower, hide }, i) => {
    const gone = show.hidden.has(i);
    article.hidden = gone;
    chip.hidden = gone;
    shower.hidden = !gone;
    hide.disabled = show.hidden.size === runs.length - 1;
  });
  countShown();
  if (!isHidden) choose(place);
  else if (place === chosen) choose(runs.findIndex((_, i) => !show.hidden.has(i)));
  else resizeAll();
  showIndex(index);
  (isHidden ? headings[place].shower : headings[place].hide).focus();
}

// --- values under the pointer -----------------------------------------------------------------

/** @type {AnyPanel | null} */
let pointed = null;

function hideTip() {
  byId("tip").hidden = true;
  pointed?.leave();
  pointed = null;
}

/**
 * @param {AnyPanel} panel
 * @param {import("./charts.js").Reading | null} reading
 */
function showTip(panel, reading) {
  if (pointed !== panel || !reading) hideTip();
  if (!reading) return;
  pointed = panel;
  const tip = byId("tip");
  const title = document.createElement("b");
  title.textContent = reading.title;
  tip.replaceChildren(title);
  for (const { run, text } of reading.rows) {
    const row = tip.appendChild(document.createElement("span"));
    row.textContent = text;
    if (run !== null) setColors(row, runs[run]);
  }
  tip.hidden = false;
  const box = panel.svg.getBoundingClientRect();
  const { width, height } = tip.getBoundingClientRect();
  const right = box.left + reading.x + 14;
  const x = right + width < innerWidth - 4 ? right : box.left + reading.x - width - 14;
  const y = Math.max(4, Math.min(innerHeight - height - 4, box.top + reading.y - height / 2));
  tip.style.left = `${Math.max(4, x)}px`;
  tip.style.top = `${y}px`;
}

// --- begin ------------------------------------------------------------------------------------

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const target = /** @type {HTMLElement} */ (event.target);
  const isControl = target.closest("button, summary, a");
  if (event.key === " " && isControl) return;
  if (event.key.startsWith("Arrow") && target.matches("input")) return;
  /** @type {Record<string, () => void>} */
  const actions = {
    " ": () => player.toggle(index),
    k: () => player.toggle(index),
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    Home: () => step(-last),
    End: () => step(last),
    Escape: hideTip,
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

/** Tell the page around an iframe how high this one is, whenever that changes. */
function postHeights() {
  // Panels keep the height for the frame that they began in, or they would grow with it.
  document.body.style.setProperty("--window", `${innerHeight}px`);
  new ResizeObserver(() => {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    window.parent.postMessage({ animateHeight: height }, "*");
  }).observe(document.body);
}

function listen() {
  const scrub = /** @type {HTMLInputElement} */ (byId("scrub"));
  scrub.max = String(last);
  scrub.addEventListener("input", () => step(Number(scrub.value) - index));
  byId("play").addEventListener("click", () => player.toggle(index));
  byId("back").addEventListener("click", () => step(-1));
  byId("forward").addEventListener("click", () => step(1));
  document.addEventListener("keydown", onKey);
  document.addEventListener("pointerdown", hideTip, { capture: true });
  new ResizeObserver(resizeAll).observe(byId("app"));
  let before = 0;
  addEventListener("beforeprint", () => {
    before = index;
    step(last);
  });
  matchMedia("print").addEventListener("change", resizeAll); // paper has all runs
  addEventListener("afterprint", () => showIndex(before));
}

byId("app").hidden = false;
byId("transport").hidden = false;
byId("keys").hidden = false;
makePanels();
listen();
if (window.parent !== window) postHeights();
countShown();
for (const { hide } of headings) hide.hidden = runs.length < 2;
choose(0);
showIndex(reducedMotion.matches ? last : 0);
showPlaying();
if (last > 0 && !reducedMotion.matches) player.play(0);
