/**
 * The page: controls, charts, link and live region.
 *
 * `state` is all that the reader has set. `show` derives the lesson and everything on the screen from
 * it; `session` is what the reader has done and no link holds.
 */

import { LARGEST_SEED } from "./constants.js";
import { dashes, markerPath, setAttributes } from "./drawing.js";
import { lessonMaker } from "./lesson.js";
import {
  bestRateText,
  coordinateText,
  limitText,
  lineEquation,
  rateText,
  shareText,
  valueText,
} from "./numbers.js";
import { BowlPanel, FitPanel, LossPanel, SurfacePanel } from "./panels.js";
import { Player } from "./player.js";
import { isBestFound, isLimitFound, RatesPanel, rateScale, tryOf } from "./rates.js";
import {
  fromFragment,
  initialState,
  isRate,
  isSeed,
  isWeight,
  parseNumber,
  toCommand,
  toFragment,
} from "./state.js";
import { decidingFactor, factorRows, factorText, updateLines } from "./step.js";
import { tasksFor } from "./tasks.js";

/** @import {Diagnosis} from "./descent.js" */
/** @import {Entry, Scene, Try} from "./panels.js" */
/** @import {Config, State} from "./state.js" */
/** @import {Task} from "./tasks.js" */

const SLIDER_MAX = 1000;
const SNAP_PIXELS = 0.6; // from the slider's thumb to a film's rate; more would leave gaps
const KEY_FACTOR = 1.01; // of the rate for an arrow key
const SETTLE_DELAY = 400; // milliseconds without a change before a rate counts as tried
const LINK_DELAY = 250; // and before the link is written
const SWIPE_PIXELS = 6; // sideways, before a touch moves a slider
const MOST_TRIES = 200;
const WIDE = [62, 38]; // em of the window for all charts at once
const TWO_COLUMNS = 34; // em of a small window for the slider beside its chart

/**
 * Return an element by its id, typed as an input, which has all properties that are used.
 * @param {string} id
 */
const byId = (id) => /** @type {HTMLInputElement} */ (document.getElementById(id));

/**
 * Add a listener to the element of an id.
 * @param {string} id
 * @param {string} type
 * @param {(event: Event) => void} listener
 */
const on = (id, type, listener) => byId(id).addEventListener(type, listener);

/**
 * Set the text of an element, only if it changes.
 * @param {Element} element
 * @param {string} text
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @type {Config} */
const config = JSON.parse(byId("config").textContent ?? "");
const lessonOf = lessonMaker(config);
const scale = rateScale(config.stabilityLimit);
const isFramed = window.parent !== window;
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const panels = {
  bowl: new BowlPanel("bowl"),
  loss: new LossPanel("loss"),
  fit: new FitPanel("fit"),
  surface: new SurfacePanel("surface"),
  rates: new RatesPanel("rates"),
};
const player = new Player(config.epochs, (epoch) => change({ epoch }), showPlaying);

/** @type {State} */
let state = initialState(config);
/** @type {Scene} */
let scene;
const session = {
  tries: /** @type {Try[]} */ ([]),
  isLimitKnown: false,
  isBestKnown: false,
  isTheoryShown: false,
  task: 0,
  answer: /** @type {number | null} */ (null),
  isMoving: false, // a control: its values count as tried when it rests
};
let laidOut = ""; // for what the charts' backgrounds are drawn
let tasks = /** @type {Task[]} */ ([]);
let isPrinting = false;
let settleTimer = 0;
let linkTimer = 0;

// --- changing ---

/**
 * Change some of the reader's settings and show what follows.
 * @param {Partial<State>} changes
 */
function change(changes) {
  state = { ...state, ...changes };
  show();
  scheduleLink();
}

/**
 * Change settings by a control that may go on moving.
 * @param {Partial<State>} changes
 */
function move(changes) {
  session.isMoving = true;
  clearTimeout(settleTimer);
  settleTimer = setTimeout(settle, SETTLE_DELAY);
  change(changes);
}

/** Train what was only computed from the Hessian, and note what the reader has tried. */
function settle() {
  clearTimeout(settleTimer);
  session.isMoving = false;
  show();
  noteTries([scene.chosen]);
  show();
}

/** Announce what the reader has set, at once. */
function settleAndAnnounce() {
  settle();
  announce(describe(scene.chosen));
}

/** @param {number} rate */
function moveRate(rate) {
  move({ rates: state.rates.map((other, slot) => (slot === scene.chosen.slot ? rate : other)) });
}

/**
 * Pause, and show the epoch that the reader chose.
 * @param {number} epoch
 */
function pauseAt(epoch) {
  player.pause();
  change({ epoch: Math.max(0, Math.min(config.epochs, epoch)) });
}

/** @param {Entry[]} entries */
function noteTries(entries) {
  for (const entry of entries) {
    const { setting } = scene;
    if (session.tries.some((one) => one.rate === entry.rate && one.setting === setting)) continue;
    session.tries = [...session.tries.slice(1 - MOST_TRIES), tryOf(entry, setting)];
  }
}

// --- showing ---

/** Show everything that follows from the state. */
function show() {
  const previous = scene;
  const lesson = lessonOf(state, session.isMoving);
  const { start, epochs, styles } = config;
  scene = {
    ...lesson,
    initialStart: start,
    start: state.start,
    epochs,
    styles,
    epoch: state.epoch,
    isPlaying: player.isPlaying,
    tries: session.tries,
    isLimitKnown: session.isLimitKnown,
    isBestKnown: session.isBestKnown,
    isTheoryShown: session.isTheoryShown,
    rates: scale,
  };
  if (!session.isMoving) {
    noteTries(scene.entries.filter((entry) => isVerdictVisible(entry)));
    scene.tries = session.tries;
  }
  learn();
  showTheme();
  chooseLayout();
  const isSameList = previous?.entries.map(({ slot }) => slot).join();
  if (isSameList !== scene.entries.map(({ slot }) => slot).join()) buildRunList();
  showRate();
  scene.entries.forEach(showRun);
  showEpoch();
  showAnalysis();
  showSettings();
  showTries();
  showTask();
  drawCharts();
  if (player.isPlaying && previous) announceVerdicts(previous.epoch);
}

/** Note that the reader has found the limit or the fastest rate, or asked for them. */
function learn() {
  const here = session.tries.filter(({ setting }) => setting === scene.setting);
  session.isLimitKnown ||= isLimitFound(here);
  session.isBestKnown ||= scene.isPlain && isBestFound(here, scene.analysis.bestRate);
  scene.isLimitKnown = session.isLimitKnown;
  scene.isBestKnown = session.isBestKnown;
}

/** Choose between all charts at once and one of them, by the room that there is. */
function chooseLayout() {
  const em = byId("ruler").getBoundingClientRect().width || 16;
  const [width, height] = [innerWidth / em, innerHeight / em];
  const isWide = !isFramed && width >= WIDE[0] && height >= WIDE[1];
  const small = `small ${width >= TWO_COLUMNS ? "columns" : "phone"}`;
  const root = document.documentElement;
  root.className = isPrinting ? "print" : isWide ? "wide" : small;
  for (const tab of byId("tabs").querySelectorAll("button")) {
    setAttributes(tab, { "aria-pressed": String(tab.dataset.chart === state.chart) });
  }
  for (const figure of document.querySelectorAll("figure")) {
    figure.classList.toggle("shown", figure.dataset.chart === state.chart);
  }
}

/** Draw the charts that can be seen, and their backgrounds if the data or a size changed. */
function drawCharts() {
  const shown = Object.values(panels).filter(({ svg }) => svg.clientWidth > 0);
  const { seed, scale: width } = state;
  const key = `${seed} ${width} ${currentSizes()}`;
  if (key !== laidOut) for (const panel of shown) panel.layOut(scene);
  laidOut = key;
  for (const panel of shown) panel.draw(scene);
  const [low, high] = panels.surface.bounds[0];
  const [slope, bias] = state.start;
  setAttributes(panels.surface.handle, {
    "aria-valuenow": slope,
    "aria-valuemin": low,
    "aria-valuemax": high,
    "aria-valuetext": `slope ${coordinateText(slope)}, bias ${coordinateText(bias)}`,
  });
  const { formula, meaning, subtracted, rows } = updateLines(scene);
  setText(byId("formula"), formula);
  setText(byId("meaning"), meaning);
  setText(byId("subtracted"), subtracted);
  fillTable("update", rows);
  fillTable("factors", factorRows(scene));
  setText(byId("factor-name"), scene.optimizer.momentum ? "factor" : "1 − lr·λ");
}

/** Return the sizes of the charts and of the text. */
const currentSizes = () =>
  [byId("ruler"), ...Object.values(panels).map(({ svg }) => svg)]
    .map((element) => `${element.clientWidth} ${element.clientHeight}`)
    .join();

/**
 * Fill the body of a table, only if it changes; the first cell of a row is its header.
 * @param {string} id
 * @param {string[][]} rows
 */
function fillTable(id, rows) {
  const body = byId(id);
  const key = JSON.stringify(rows);
  if (body.dataset.rows === key) return;
  body.dataset.rows = key;
  body.replaceChildren(
    ...rows.map((cells) => {
      const row = document.createElement("tr");
      cells.forEach((text, i) => {
        const cell = document.createElement(i ? "td" : "th");
        if (!i) setAttributes(cell, { scope: "row" });
        cell.textContent = text;
        row.append(cell);
      });
      return row;
    }),
  );
}

/** @param {Entry} entry */
const isVerdictVisible = ({ diagnosis }) => state.epoch >= diagnosis.verdictEpoch;

/**
 * Return a verdict in words. The limit is told only once it is known.
 * @param {Diagnosis} diagnosis
 */
function verdictText({ verdict, sentence }) {
  if (verdict === "diverging" && !session.isLimitKnown)
    return sentence.replace(/: (past|at) the limit .*/, "");
  return sentence;
}

/**
 * Show a run's loss and verdict at the present epoch.
 * @param {Entry} entry
 */
function showRun({ slot, rate, run, diagnosis }) {
  const { epoch } = state;
  const item = byId(`run-${slot}`);
  const [name, loss, verdict, remove] = ["name", "loss", "verdict", "remove"].map(
    (part) => /** @type {HTMLButtonElement} */ (item.querySelector(`.${part}`)),
  );
  const isChosen = slot === scene.chosen.slot;
  setText(name, rateText(rate));
  setAttributes(remove, { "aria-label": `Remove the run at ${rateText(rate)}` });
  remove.disabled = scene.entries.length === 1;
  item.classList.toggle("chosen", isChosen);
  byId(`choose-${slot}`).checked = isChosen;
  const { overflowedAt } = diagnosis;
  const overflowed = overflowedAt !== null && epoch >= overflowedAt;
  setText(
    loss,
    overflowed ? `overflowed at epoch ${overflowedAt}` : `loss ${valueText(run.losses[epoch])}`,
  );
  const isKnown = epoch >= diagnosis.verdictEpoch;
  const mark = { converged: "✓ ", diverging: "✗ ", converging: "" }[diagnosis.verdict];
  const text = isKnown
    ? mark + verdictText(diagnosis)
    : `${shareText(diagnosis.left[epoch])} still to go`;
  setText(verdict, text);
  verdict.classList.toggle("known", isKnown);
  if (!isChosen) return;
  setText(byId("now"), text);
  setText(byId("equation"), lineEquation(run.slopes[epoch], run.biases[epoch]));
}

/**
 * Return the sentence on a run for the live region.
 * @param {Entry} entry
 */
function describe(entry) {
  const { rate, run, diagnosis } = entry;
  const { epoch } = state;
  const verdict = isVerdictVisible(entry)
    ? verdictText(diagnosis)
    : `loss ${valueText(run.losses[epoch])} at epoch ${epoch}`;
  const overflow = diagnosis.overflowedAt !== null && epoch >= diagnosis.overflowedAt;
  const end = overflow ? `, overflowed at epoch ${diagnosis.overflowedAt}` : "";
  return `Learning rate ${rateText(rate)}: ${verdict}${end}.`;
}

/** @param {number} previousEpoch */
function announceVerdicts(previousEpoch) {
  const isNew = (/** @type {Entry} */ { diagnosis: { verdictEpoch } }) =>
    previousEpoch < verdictEpoch && verdictEpoch <= state.epoch;
  const entries = scene.entries.filter(isNew);
  if (entries.length) announce(entries.map(describe).join(" "));
}

/**
 * Put a sentence into the live region, for screen readers.
 * @param {string} sentence
 */
function announce(sentence) {
  byId("live").textContent = sentence;
}

/** Build the list of runs, and keep the focus if its element is still there. */
function buildRunList() {
  const focused = document.activeElement?.id;
  const template = /** @type {HTMLTemplateElement} */ (/** @type {HTMLElement} */ (byId("run")));
  const items = scene.entries.map(({ slot }) => {
    const item = /** @type {HTMLElement} */ (
      /** @type {Element} */ (template.content.firstElementChild).cloneNode(true)
    );
    item.id = `run-${slot}`;
    item.style.cssText = colors(slot);
    const [radio, remove] = [...item.querySelectorAll("input, button")];
    radio.id = `choose-${slot}`;
    remove.id = `remove-${slot}`;
    setAttributes(radio, { value: slot });
    const style = config.styles[slot];
    const [line, marker] = item.querySelectorAll("path");
    setAttributes(line, { "stroke-dasharray": dashes(style, 3) });
    setAttributes(marker, { d: markerPath(style[0], 22, 8, 5) });
    return item;
  });
  byId("runs").replaceChildren(...items);
  byId("add").disabled = scene.entries.length === config.styles.length;
  if (focused) document.getElementById(focused)?.focus();
}

/**
 * Return the colors of a slot, as CSS.
 * @param {number} slot
 */
const colors = (slot) => `--color: var(--run${slot}); --text: var(--text${slot})`;

/** Show the chosen run's learning rate, and what it makes of the error. */
function showRate() {
  const { rate, slot } = scene.chosen;
  byId("drive").style.cssText = colors(slot);
  byId("charts").style.cssText = colors(slot);
  const slider = byId("rate");
  slider.value = String(SLIDER_MAX * scale.positionOf(rate));
  setAttributes(slider, { "aria-valuetext": rateText(rate) });
  const exact = byId("exact");
  const isTyping = document.activeElement === exact;
  if (!isTyping || isRate(exact.value)) {
    if (!isTyping || parseNumber(exact.value) !== rate) exact.value = String(rate);
    showError("rate", "");
  }
  const { momentum, batchSize, adam } = scene.optimizer;
  const deciding = decidingFactor(scene.analysis, rate, momentum);
  const factor = factorText(deciding);
  const swing =
    deciding >= 0
      ? ""
      : `: it overshoots, ${deciding < -1 ? "farther each time" : "but gets closer"}`;
  const sentence = momentum
    ? `In the long run a step leaves ${factor} of the error.`
    : `Each step leaves ${factor} of the error${batchSize ? ", on average" : ""}${swing}.`;
  setText(byId("factor"), adam ? "Adam scales each step by past gradients." : sentence);
}

function showEpoch() {
  const { epoch } = state;
  byId("epoch").value = String(epoch);
  setText(byId("epoch-text"), `${epoch} of ${config.epochs}`);
  byId("back").disabled = epoch === 0;
  byId("forward").disabled = epoch === config.epochs;
}

/** Show what is computed from the data: limit, best rate, best weights. */
function showAnalysis() {
  const { stabilityLimit, bestRate, bestWeights, curvatures } = scene.analysis;
  const texts = {
    limit: limitText(stabilityLimit, 2 * stabilityLimit),
    "best-rate": bestRateText(bestRate, stabilityLimit),
    "best-slope": coordinateText(bestWeights[0]),
    "best-bias": coordinateText(bestWeights[1]),
  };
  for (const [name, text] of Object.entries(texts)) {
    for (const output of document.querySelectorAll(`[data-fact="${name}"]`)) setText(output, text);
  }
  const { limit } = scene;
  const marks = /** @type {[string, number | null, boolean][]} */ ([
    ["tick-limit", limit, scene.isLimitKnown],
    ["tick-best", bestRate, scene.isBestKnown && scene.isPlain],
  ]);
  for (const [id, rate, isKnown] of marks) {
    byId(id).hidden = !isKnown || rate === null || rate < scale.lowest || rate > scale.highest;
    if (rate !== null) byId(id).style.setProperty("--at", String(scale.positionOf(rate)));
  }
  setText(byId("curvatures"), curvatures.map(valueText).join(" and "));
  setText(byId("condition"), valueText(curvatures[0] / curvatures[1]));
  const place = limit === null ? "" : ` to ${limitText(limit, 2 * limit)}`;
  setText(byId("limit-moves"), `the limit moves${scene.isLimitKnown ? place : ""}`);
}

/** Show the settings in their controls, but in none that is being typed into. */
function showSettings() {
  const { start, seed, momentum, batchSize, adam } = state;
  const fields = { slope: String(start[0]), bias: String(start[1]), seed };
  for (const [id, value] of Object.entries(fields)) {
    if (document.activeElement !== byId(id)) byId(id).value = value;
  }
  byId("scale").value = String(Math.log2(state.scale));
  setAttributes(byId("scale"), { "aria-valuetext": rateText(state.scale) });
  setText(byId("scale-text"), rateText(state.scale));
  byId("momentum").value = String(momentum);
  byId("momentum").disabled = adam;
  setText(byId("momentum-text"), momentum ? String(momentum) : "off");
  const batches = byId("batch");
  const sizes = [0, 1, 2, 5, 10, 20, 50, 100].filter((size) => size < scene.data.x.length);
  if (!sizes.includes(batchSize)) sizes.push(batchSize);
  if (batches.children.length !== sizes.length) {
    batches.replaceChildren(
      ...sizes.map((size) => new Option(size ? String(size) : "all", String(size))),
    );
  }
  batches.value = String(batchSize);
  byId("adam").checked = adam;
  setAttributes(byId("theory"), { "aria-pressed": String(session.isTheoryShown) });
}

function showTries() {
  fillTable(
    "tries",
    session.tries.map(({ rate, text, setting }) => [rateText(rate), text, setting]).reverse(),
  );
}

/** Label the slider's ends and some rates between them. */
function showScale() {
  for (const rate of scale.labels) {
    const mark = document.createElement("span");
    mark.style.cssText = `--at: ${scale.positionOf(rate)}`;
    mark.textContent = rateText(rate);
    byId("decades").append(mark);
  }
}

function showPlaying() {
  byId("play").classList.toggle("playing", player.isPlaying);
  setText(byId("play-text"), player.isPlaying ? "Pause" : "Play");
  if (player.isPlaying) return;
  show();
  scheduleLink();
}

const isDark = () => state.theme === "dark" || (state.theme === "auto" && prefersDark.matches);

function showTheme() {
  document.documentElement.dataset.theme = state.theme;
  setText(byId("theme-text"), isDark() ? "Light" : "Dark");
  setAttributes(byId("theme"), { "aria-label": `${isDark() ? "Light" : "Dark"} theme` });
}

/**
 * Show an error below a field, or with an empty sentence none.
 * @param {string} name
 * @param {string} sentence
 */
function showError(name, sentence) {
  const output = byId(`${name}-error`);
  setText(output, sentence);
  for (const input of document.querySelectorAll(`[aria-describedby="${output.id}"]`)) {
    setAttributes(input, { "aria-invalid": String(sentence !== "") });
  }
}

// --- tasks ---

/** Show the present task: its question, and after the prediction what comes of it. */
function showTask() {
  if (!byId("tasks").hasAttribute("open")) return;
  if (!tasks.length) {
    const initial = lessonOf({ ...initialState(config) });
    tasks = tasksFor(initial.data, config.start, config.epochs);
    lessonOf(state);
  }
  const task = tasks[session.task];
  const { answer } = session;
  setText(byId("task-title"), `Task ${session.task + 1} of ${tasks.length}`);
  setText(byId("task-question"), task.question);
  const options = byId("task-options");
  if (options.dataset.task !== String(session.task)) {
    options.dataset.task = String(session.task);
    options.replaceChildren(...(task.options ?? []).map(taskOption));
    byId("prediction").value = "";
  }
  options.hidden = !task.options;
  byId("task-number").hidden = Boolean(task.options);
  for (const input of options.querySelectorAll("input")) input.disabled = answer !== null;
  byId("prediction").disabled = answer !== null;
  byId("check").hidden = answer !== null;
  const result = answer === null ? "" : taskResult(task, answer);
  setText(byId("task-result"), result);
  byId("next").hidden = answer === null || !isTaskDone(task);
  setText(byId("next"), session.task + 1 < tasks.length ? "Next task" : "Start again");
}

/**
 * Return an option of a task as a radio button.
 * @param {string} text
 * @param {number} number
 */
function taskOption(text, number) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  setAttributes(input, { type: "radio", name: "option", value: number });
  label.append(input, ` ${text}`);
  return label;
}

const triesHere = () => session.tries.filter(({ setting }) => setting === "");

/** @param {Task} task */
const isTaskDone = ({ goal = () => "done" }) => goal(triesHere()) !== "";

/**
 * Return the grade of a prediction, and how far the reader has come.
 * @param {Task} task
 * @param {number} answer
 */
function taskResult(task, answer) {
  const { options, right, goal, explain, searching } = task;
  const grade = answer === right ? "Right." : `Not quite: ${options?.[right]}.`;
  const prediction = options ? grade : `You predicted ${rateText(answer)}.`;
  const found = goal?.(triesHere());
  return [prediction, found || explain, found ? "" : searching?.(triesHere())]
    .filter(Boolean)
    .join(" ");
}

function checkTask() {
  const task = tasks[session.task];
  const chosen = /** @type {HTMLInputElement | null} */ (
    byId("task-options").querySelector("input:checked")
  );
  const prediction = byId("prediction").value;
  if (task.options ? !chosen : !isRate(prediction)) {
    setText(
      byId("task-result"),
      task.options ? "Choose one first." : "Give a number, such as 0.5.",
    );
    return;
  }
  session.answer = task.options ? Number(chosen?.value) : parseNumber(prediction);
  const isLast = session.task + 1 === tasks.length;
  session.isLimitKnown ||= isLast;
  player.pause();
  change(task.apply);
  settle();
  reveal("task-result", "nearest");
}

function nextTask() {
  session.task = (session.task + 1) % tasks.length;
  session.answer = null;
  change({ scale: 1 });
  reveal("task-title", "start");
}

/**
 * Scroll an element into view, below the part of the page that stays at the top.
 * @param {string} id
 * @param {ScrollLogicalPosition} block
 */
function reveal(id, block) {
  byId(id).style.scrollMarginTop = `${byId("stage").offsetHeight}px`;
  byId(id).scrollIntoView({ block });
}

// --- the link ---

/** Write the state into the address when nothing has changed for a while. */
function scheduleLink() {
  clearTimeout(linkTimer);
  if (!player.isPlaying) linkTimer = setTimeout(writeLink, LINK_DELAY);
}

function writeLink() {
  const fragment = toFragment(state);
  if (location.hash === fragment) return;
  try {
    history.replaceState(null, "", fragment);
  } catch {
    // In a sandboxed iframe the address may be read-only; Copy link still works.
  }
}

/** Follow another link to this page: typed, or reached by Back and Forward. */
function readLink() {
  if (location.hash === toFragment(state)) return;
  clearTimeout(linkTimer);
  player.pause();
  openLink();
  announce(describe(scene.chosen));
}

/** Take the state from the address, and play from the start if it names no epoch. */
function openLink() {
  const { state: linked, plays } = fromFragment(location.hash, config);
  const isAtEnd = plays && reducedMotion.matches;
  state = { ...linked, epoch: isAtEnd ? config.epochs : linked.epoch };
  show();
  if (plays && !isAtEnd) player.play(0);
}

/**
 * Copy a text, or show it where the browser does not allow copying.
 * @param {string} text
 * @param {string} what
 */
async function copy(text, what) {
  const box = byId("copied");
  box.value = text;
  byId("copied-box").hidden = false;
  try {
    await navigator.clipboard.writeText(text);
    byId("copy-status").textContent = `${what} copied.`;
  } catch {
    box.select();
    byId("copy-status").textContent =
      `Copy the ${what.toLowerCase()} from the box: press Ctrl+C or ⌘C.`;
  }
}

// --- what the reader does ---

/**
 * Return the learning rate that a key moves to: three digits, and never past an initial rate.
 * @param {number} rate
 * @param {number} steps
 */
function nextRate(rate, steps) {
  const { lowest, highest } = scale;
  const inside = Math.max(lowest, Math.min(highest, rate));
  const moved = Math.max(lowest, Math.min(highest, inside * KEY_FACTOR ** steps));
  const next = Number(moved.toPrecision(3));
  const passed = config.rates.filter(
    (other) => (rate < other && other <= next) || (next <= other && other < rate),
  );
  return passed.length
    ? passed.sort((one, other) => Math.abs(one - rate) - Math.abs(other - rate))[0]
    : next;
}

/** @param {KeyboardEvent} event */
const hasModifier = (event) => event.altKey || event.ctrlKey || event.metaKey;

/**
 * Round a weight to about a pixel of the surface: two decimals if that is a few units wide.
 * @param {number} value
 */
function roundedWeight(value) {
  const [low, high] = panels.surface.bounds[0];
  const decimals = Math.max(0, Math.min(8, Math.round(2.6 - Math.log10(high - low))));
  return Number(value.toFixed(decimals));
}

/**
 * Let a slider follow the pointer. A touch moves it only sideways, so that a swipe scrolls the page.
 * @param {HTMLInputElement} input inside a `.track`, which takes the pointer's events
 */
function listenToTrack(input) {
  const track = /** @type {HTMLElement} */ (input.parentElement);
  let [startX, isHeld, isMoved, hasChanged] = [0, false, false, false];
  /** @param {PointerEvent} event */
  const follow = (event) => {
    const { left, width } = track.getBoundingClientRect();
    const thumb = 1.5 * byId("ruler").getBoundingClientRect().width;
    const share = Math.max(0, Math.min(1, (event.clientX - left - thumb / 2) / (width - thumb)));
    input.value = String(Number(input.min) + share * (Number(input.max) - Number(input.min)));
    hasChanged = true;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  track.addEventListener("pointerdown", (event) => {
    if (event.button || input.disabled) return;
    isMoved = event.pointerType === "mouse";
    [startX, isHeld, hasChanged] = [event.clientX, true, false];
    if (!isMoved) return;
    event.preventDefault();
    track.setPointerCapture(event.pointerId);
    input.focus();
    follow(event);
  });
  track.addEventListener("pointermove", (event) => {
    if (!isHeld) return;
    isMoved ||= Math.abs(event.clientX - startX) > SWIPE_PIXELS;
    if (isMoved) follow(event);
  });
  track.addEventListener("pointerup", (event) => {
    if (isHeld && !isMoved) follow(event);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    track.addEventListener(end, () => {
      isHeld = false;
      if (hasChanged) input.dispatchEvent(new Event("change", { bubbles: true }));
      hasChanged = false;
    });
  }
}

function listenToRate() {
  const slider = byId("rate");
  slider.addEventListener("input", () => {
    const position = Number(slider.value) / SLIDER_MAX;
    const distance = SNAP_PIXELS / slider.clientWidth;
    const snapped = config.rates.find(
      (other) => other <= scale.highest && Math.abs(scale.positionOf(other) - position) < distance,
    );
    moveRate(snapped ?? scale.rateAt(position));
  });
  slider.addEventListener("change", settleAndAnnounce);
  slider.addEventListener("keydown", (event) => {
    /** @type {Record<string, number>} */
    const steps = {
      ArrowRight: 1,
      ArrowUp: 1,
      ArrowLeft: -1,
      ArrowDown: -1,
      PageUp: 20,
      PageDown: -20,
      Home: -1e4,
      End: 1e4,
    };
    if (!steps[event.key] || hasModifier(event)) return;
    event.preventDefault();
    const ends = /** @type {Record<string, number>} */ ({ Home: scale.lowest, End: scale.highest });
    moveRate(ends[event.key] ?? nextRate(scene.chosen.rate, steps[event.key]));
    announce(describe(scene.chosen));
  });

  const exact = byId("exact");
  exact.addEventListener("input", () => {
    if (isRate(exact.value)) moveRate(parseNumber(exact.value));
  });
  exact.addEventListener("change", () => {
    if (isRate(exact.value)) settleAndAnnounce();
    else showError("rate", `“${exact.value}” is not a positive number; give one such as 0.1.`);
  });
}

function listenToRuns() {
  on("runs", "change", (event) => {
    change({ chosen: Number(/** @type {HTMLInputElement} */ (event.target).value) });
    announce(describe(scene.chosen));
  });
  on("runs", "click", (event) => {
    const remove = /** @type {Element} */ (event.target).closest(".remove");
    if (!remove) return;
    const slot = Number(remove.id.replace("remove-", ""));
    const removed = state.rates[slot] ?? 0;
    const rates = state.rates.map((rate, i) => (i === slot ? null : rate));
    const first = rates.findIndex((rate) => rate !== null);
    change({ rates, chosen: state.chosen === slot ? first : state.chosen });
    byId(`choose-${state.chosen}`).focus();
    announce(`The run at ${rateText(removed)} is removed.`);
  });
  on("add", "click", () => {
    const empty = state.rates.indexOf(null);
    const slot = empty < 0 ? state.rates.length : empty;
    let newRate = 0.3;
    while (state.rates.includes(newRate)) newRate = Number((0.6 * newRate).toPrecision(2));
    const rates = [...state.rates];
    rates[slot] = newRate;
    change({ rates, chosen: slot });
    byId("rate").focus();
    announce(`A run is added. ${describe(scene.chosen)}`);
  });
}

function listenToPlayback() {
  on("play", "click", () => player.toggle(state.epoch));
  on("back", "click", () => pauseAt(state.epoch - 1));
  on("forward", "click", () => pauseAt(state.epoch + 1));
  on("epoch", "input", () => pauseAt(Number(byId("epoch").value)));
  on("epoch", "change", () => announce(describe(scene.chosen)));
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLInputElement} */ (event.target);
    const takesSpace =
      target.closest("button, summary, a, textarea, select") ||
      ["text", "radio", "checkbox"].includes(target.type);
    if (event.key !== " " || takesSpace || hasModifier(event)) return;
    event.preventDefault();
    player.toggle(state.epoch);
  });
}

function listenToSettings() {
  const seed = byId("seed");
  /** @param {string} text */
  const useSeed = (text) => {
    showError("seed", "");
    seed.value = text;
    change({ seed: text });
    announce(`New noise, seed ${text}. ${describe(scene.chosen)}`);
  };
  seed.addEventListener("change", () => {
    if (isSeed(seed.value.trim())) useSeed(String(BigInt(seed.value.trim())));
    else showError("seed", `“${seed.value}” is not a seed; give a whole number, up to 2⁶⁴ − 1.`);
  });
  on("noise", "click", () =>
    useSeed(String((BigInt(state.seed) + 1n) % (BigInt(LARGEST_SEED) + 1n))),
  );
  for (const id of ["slope", "bias"]) {
    byId(id).addEventListener("change", () => {
      const texts = [byId("slope").value, byId("bias").value];
      const invalid = texts.find((text) => !isWeight(text));
      const sentence = `“${invalid}” is not a weight; give a number from −10⁶ to 10⁶.`;
      showError("start", invalid === undefined ? "" : sentence);
      if (invalid !== undefined) return;
      change({ start: texts.map(parseNumber) });
      announce(describe(scene.chosen));
    });
  }
  on("scale", "input", () => {
    const width = 2 ** Number(byId("scale").value);
    const isNearOne = Math.abs(Math.log2(width)) < 0.06;
    move({ scale: isNearOne ? 1 : Number(width.toPrecision(2)) });
  });
  on("momentum", "input", () => move({ momentum: Number(byId("momentum").value) }));
  for (const id of ["scale", "momentum"]) on(id, "change", settleAndAnnounce);
  on("batch", "change", () => {
    change({ batchSize: Number(byId("batch").value) });
    settleAndAnnounce();
  });
  on("adam", "change", () => {
    change({ adam: byId("adam").checked, momentum: 0 });
    settleAndAnnounce();
  });
}

function listenToSurface() {
  const { handle, svg } = panels.surface;
  let isDragging = false;
  /** @param {PointerEvent | MouseEvent} event */
  const startAt = (event) =>
    panels.surface.weightsAt(event.clientX, event.clientY).map(roundedWeight);
  const restart = () => {
    settleAndAnnounce();
    if (!reducedMotion.matches) player.play(0);
  };
  handle.addEventListener("pointerdown", (event) => {
    isDragging = true;
    player.pause();
    handle.setPointerCapture(event.pointerId);
    handle.focus();
    event.preventDefault();
  });
  handle.addEventListener("pointermove", (event) => {
    if (isDragging) move({ start: startAt(event) });
  });
  for (const end of ["pointerup", "pointercancel"]) {
    handle.addEventListener(end, () => {
      if (isDragging) restart();
      isDragging = false;
    });
  }
  svg.addEventListener("click", (event) => {
    if (handle.contains(/** @type {Node} */ (event.target))) return;
    change({ start: startAt(event) });
    restart();
  });
  handle.addEventListener("keydown", (event) => {
    /** @type {Record<string, number[]>} */
    const directions = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowDown: [0, -1],
      ArrowUp: [0, 1],
    };
    const direction = directions[event.key];
    if (!direction || hasModifier(event)) return;
    event.preventDefault();
    const [low, high] = panels.surface.bounds[0];
    const step = 10 ** Math.floor(Math.log10((high - low) / 50)) * (event.shiftKey ? 10 : 1);
    move({ start: state.start.map((weight, i) => roundedWeight(weight + direction[i] * step)) });
    const [slope, bias] = state.start.map(coordinateText);
    announce(`Start at slope ${slope}, bias ${bias}. ${describe(scene.chosen)}`);
  });
}

function listenToPage() {
  on("tabs", "click", (event) => {
    const { chart } = /** @type {HTMLElement} */ (event.target).dataset;
    if (chart) change({ chart });
  });
  on("answer", "toggle", () => {
    session.isLimitKnown = true;
    session.isBestKnown = true;
    show();
  });
  on("theory", "click", () => {
    session.isTheoryShown = !session.isTheoryShown;
    show();
  });
  on("tasks", "toggle", show);
  on("check", "click", checkTask);
  on("next", "click", nextTask);
  on("clear", "click", () => {
    session.tries = [];
    show();
  });
  on("link", "click", () => {
    const page = location.href.replace(/#.*$/, "");
    copy(page + toFragment(state, player.isPlaying), "Link");
  });
  on("command", "click", () => copy(toCommand(state, config), "Command"));
  on("reset", "click", () => {
    const { epoch, theme, chart } = state;
    change({ ...initialState(config), epoch, theme, chart });
    announce("All settings are reset.");
  });
  on("theme", "click", () => change({ theme: isDark() ? "light" : "dark" }));
  prefersDark.addEventListener("change", showTheme);
  addEventListener("hashchange", readLink);
  addEventListener("resize", show);

  let epochBeforePrint = 0;
  addEventListener("beforeprint", () => {
    epochBeforePrint = state.epoch;
    player.pause();
    isPrinting = true;
    state = { ...state, epoch: config.epochs };
    show();
  });
  addEventListener("afterprint", () => {
    isPrinting = false;
    state = { ...state, epoch: epochBeforePrint };
    show();
  });
  let sizes = "";
  const observer = new ResizeObserver(() => {
    postHeight();
    if (currentSizes() === sizes) return;
    sizes = currentSizes();
    show();
  });
  for (const { svg } of Object.values(panels)) observer.observe(svg);
  observer.observe(byId("ruler"));
  observer.observe(document.body);
}

/** Tell the page around an iframe how high this one is; see `--embed iframe`. */
function postHeight() {
  if (!isFramed) return;
  const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
  window.parent.postMessage({ animateHeight: height }, "*");
}

// --- begin ---

function begin() {
  byId("app").hidden = false;
  byId("theme").hidden = false;
  byId("sampled").hidden = !config.sampling;
  byId("epoch").max = String(config.epochs);
  showScale();
  openLink();
  for (const track of document.querySelectorAll(".track input")) {
    listenToTrack(/** @type {HTMLInputElement} */ (track));
  }
  listenToRate();
  listenToRuns();
  listenToPlayback();
  listenToSettings();
  listenToSurface();
  listenToPage();
}

requestAnimationFrame(() => setTimeout(begin)); // so that the question is painted first
