/** The page: controls, panels, link and live region. */

import { LARGEST_SEED } from "./constants.js";
import { analyze, diagnose, train } from "./descent.js";
import { dashes, markerPath, setAttributes } from "./drawing.js";
import {
  coordinateText,
  limitText,
  lineEquation,
  rateText,
  shareText,
  valueText,
} from "./numbers.js";
import { BowlPanel, FitPanel, LossPanel, SurfacePanel } from "./panels.js";
import { Player } from "./player.js";
import { sample } from "./random.js";
import {
  fromFragment,
  initialState,
  isRate,
  isSeed,
  isWeight,
  toCommand,
  toFragment,
} from "./state.js";

const SLIDER_MAX = 1000;
const KEY_STEPS = 400; // arrow keys from one end of the slider to the other
const SNAP_PIXELS = 7;
const LINK_DELAY = 250; // milliseconds without a change before the link is written

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

/** @type {import("./state.js").Config} */
const config = JSON.parse(byId("config").textContent ?? "");
/**
 * Return the float32 numbers of a base64 text.
 * @param {string} text
 */
const decodeFloats = (text) =>
  new Float32Array(Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0)).buffer);
const originalData = { x: decodeFloats(config.x), y: decodeFloats(config.y) };
// The slider's ends. Data of another scale have another limit, and so other ends.
const isUsual = config.stabilityLimit > 0.01 && config.stabilityLimit < 4;
const [LOWEST_RATE, HIGHEST_RATE] = isUsual
  ? [0.001, 5]
  : [config.stabilityLimit / 1000, config.stabilityLimit * 5].map((rate) =>
      Number(rate.toPrecision(1)),
    );
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const panels = {
  fit: new FitPanel("fit"),
  loss: new LossPanel("loss"),
  surface: new SurfacePanel("surface"),
  bowl: new BowlPanel("bowl"),
};
const allPanels = Object.values(panels);

let state = initialState(config);
/** @type {import("./panels.js").Scene} */
let scene;
let writtenFragment = ""; // set by the page itself, so no change to follow
let linkTimer = 0;
let sizesAtLayout = "";
const player = new Player(config.epochs, showEpoch, () => {
  showPlaying();
  scheduleLink();
});

// --- computing --------------------------------------------------------------------------------

/** Sample the data of the state's seed, and train every run. */
function sampleAndTrain() {
  const isOriginal = !config.sampling || state.seed === config.sampling.seed;
  const { points, noise } = config.sampling ?? { points: 0, noise: "" };
  const data = isOriginal
    ? originalData
    : sample(state.seed, points, noise, config.trueWeights ?? []);
  const analysis = analyze(data);
  // Exact to the last bit, for a run at the limit.
  if (isOriginal) analysis.stabilityLimit = config.stabilityLimit;
  const { start, trueWeights, epochs, styles } = config;
  const common = { initialStart: start, trueWeights, epochs, styles, epoch: state.epoch };
  const entries = /** @type {import("./panels.js").Entry[]} */ ([]);
  scene = { ...common, data, analysis, start: state.start, entries, chosen: entries[0] };
  trainAll();
}

/** Train every run from the state's start. */
function trainAll() {
  scene.start = state.start;
  scene.entries = state.rates.flatMap((rate, slot) =>
    rate === null ? [] : [trainRun(rate, slot)],
  );
  chooseRun(state.chosen);
}

/**
 * Train one run.
 * @param {number} rate
 * @param {number} slot
 * @returns {import("./panels.js").Entry}
 */
function trainRun(rate, slot) {
  const run = train(scene.data, rate, state.start, config.epochs);
  return { rate, slot, run, diagnosis: diagnose(rate, run, scene.analysis) };
}

/**
 * Choose the run that the slider sets; if the slot is empty, the first run.
 * @param {number} slot
 */
function chooseRun(slot) {
  scene.chosen = scene.entries.find((entry) => entry.slot === slot) ?? scene.entries[0];
  state.chosen = scene.chosen.slot;
}

/**
 * Train the chosen run at another learning rate.
 * @param {number} rate
 */
function setRate(rate) {
  state.rates[state.chosen] = rate;
  scene.entries = scene.entries.map((entry) =>
    entry.slot === state.chosen ? trainRun(rate, entry.slot) : entry,
  );
  chooseRun(state.chosen);
}

// --- showing ----------------------------------------------------------------------------------

/**
 * Show an epoch in all panels and in the list of runs.
 * @param {number} epoch
 */
function showEpoch(epoch) {
  const previous = scene.epoch;
  state.epoch = epoch;
  scene.epoch = epoch;
  for (const panel of allPanels) panel.draw(scene);
  byId("epoch").value = String(epoch);
  byId("epoch-text").textContent = `${epoch} of ${config.epochs}`;
  byId("back").disabled = epoch === 0;
  byId("forward").disabled = epoch === config.epochs;
  for (const entry of scene.entries) showRun(entry);
  const newVerdicts = scene.entries.filter(
    ({ diagnosis: { verdictEpoch } }) => previous < verdictEpoch && verdictEpoch <= epoch,
  );
  if (player.isPlaying && newVerdicts.length) announce(newVerdicts.map(describe).join(" "));
}

/**
 * Show a run's loss, line and verdict at the present epoch.
 * @param {import("./panels.js").Entry} entry
 */
function showRun({ slot, run, diagnosis }) {
  const { epoch } = scene;
  const item = byId(`run-${slot}`);
  const [loss, line, verdict] = ["loss", "line", "verdict"].map(
    (name) => /** @type {HTMLElement} */ (item.querySelector(`.${name}`)),
  );
  const { overflowedAt, verdictEpoch, sentence } = diagnosis;
  const overflowed = overflowedAt !== null && epoch >= overflowedAt;
  const unfinished = diagnosis.verdict === "converging" && epoch === config.epochs;
  loss.textContent = overflowed
    ? `overflowed at epoch ${overflowedAt}`
    : `loss ${valueText(run.losses[epoch])}`;
  line.textContent = overflowed ? "" : lineEquation(run.slopes[epoch], run.biases[epoch]);
  if (unfinished)
    line.textContent = `fastest rate ${rateText(Number(scene.analysis.bestRate.toPrecision(2)))}`;
  const isKnown = epoch >= verdictEpoch;
  const mark = { converged: "✓ ", diverging: "✗ ", converging: "" }[diagnosis.verdict];
  verdict.textContent = isKnown
    ? mark + sentence
    : `${shareText(diagnosis.left[epoch])} still to go`;
  verdict.classList.toggle("known", isKnown);
  if (slot === state.chosen) byId("now").textContent = verdict.textContent;
}

/**
 * Return the sentence on a run for the live region.
 * @param {import("./panels.js").Entry} entry
 */
function describe({ rate, run, diagnosis }) {
  const { epoch } = scene;
  const isKnown = epoch >= diagnosis.verdictEpoch;
  const verdict = isKnown
    ? diagnosis.sentence
    : `loss ${valueText(run.losses[epoch])} at epoch ${epoch}`;
  const overflow = diagnosis.overflowedAt !== null && epoch >= diagnosis.overflowedAt;
  const end = overflow ? `, overflowed at epoch ${diagnosis.overflowedAt}` : "";
  return `Learning rate ${rateText(rate)}: ${verdict}${end}.`;
}

/**
 * Put a sentence into the live region, for screen readers.
 * @param {string} sentence
 */
function announce(sentence) {
  byId("live").textContent = sentence;
}

/**
 * Return the colors of a slot, as CSS.
 * @param {number} slot
 */
const colors = (slot) => `--color: var(--run${slot}); --text: var(--text${slot})`;

/** Build the list of runs, and keep the focus if its element is still there. */
function buildRunList() {
  const focused = document.activeElement?.id;
  const template = /** @type {HTMLTemplateElement} */ (/** @type {HTMLElement} */ (byId("run")));
  const items = scene.entries.map(({ slot, rate }) => {
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
    nameRun(item, rate);
    return item;
  });
  byId("runs").replaceChildren(...items);
  if (focused) document.getElementById(focused)?.focus();
  showChosen();
}

/**
 * Write a learning rate into an item of the list of runs.
 * @param {HTMLElement} item
 * @param {number} rate
 */
function nameRun(item, rate) {
  /** @type {HTMLElement} */ (item.querySelector(".name")).textContent = rateText(rate);
  const remove = /** @type {HTMLButtonElement} */ (item.querySelector(".remove"));
  setAttributes(remove, { "aria-label": `Remove the run at ${rateText(rate)}` });
}

/** Show the chosen run and its learning rate. */
function showChosen() {
  const { rate, slot } = scene.chosen;
  byId(`choose-${slot}`).checked = true;
  for (const { slot: other } of scene.entries) {
    byId(`run-${other}`).classList.toggle("chosen", other === slot);
    byId(`remove-${other}`).disabled = scene.entries.length === 1;
  }
  nameRun(byId(`run-${slot}`), rate);
  byId("drive").style.cssText = colors(slot);
  const slider = byId("rate");
  slider.value = String(positionOf(rate));
  setAttributes(slider, { "aria-valuetext": rateText(rate) });
  if (document.activeElement !== byId("exact")) byId("exact").value = String(rate);
  showError("rate", "");
  byId("add").disabled = scene.entries.length === config.styles.length;
}

/** Show what is computed from the data: limit, best rate, best weights. */
function showAnalysis() {
  const { stabilityLimit: limit, bestRate, bestWeights } = scene.analysis;
  const texts = {
    limit: limitText(limit, 2 * limit),
    "best-rate": rateText(Number(bestRate.toPrecision(2))),
    "best-slope": coordinateText(bestWeights[0]),
    "best-bias": coordinateText(bestWeights[1]),
  };
  for (const [name, text] of Object.entries(texts)) {
    for (const output of document.querySelectorAll(`[data-fact="${name}"]`))
      output.textContent = text;
  }
  for (const [id, rate] of /** @type {[string, number][]} */ ([
    ["tick-limit", limit],
    ["tick-best", bestRate],
  ])) {
    byId(id).style.setProperty("--at", String(positionOf(rate) / SLIDER_MAX));
    byId(id).hidden = rate < LOWEST_RATE || rate > HIGHEST_RATE;
  }
}

/** Show the start in its fields, and tell it to screen readers. */
function showStart() {
  const [slope, bias] = state.start;
  if (document.activeElement !== byId("slope")) byId("slope").value = String(slope);
  if (document.activeElement !== byId("bias")) byId("bias").value = String(bias);
  const text = `slope ${coordinateText(slope)}, bias ${coordinateText(bias)}`;
  const [low, high] = panels.surface.bounds[0];
  setAttributes(panels.surface.handle, {
    "aria-valuenow": slope,
    "aria-valuemin": low,
    "aria-valuemax": high,
    "aria-valuetext": text,
  });
}

/** Label the slider's ends and the powers of ten between them. */
function showScale() {
  const powers = [-9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5].map((power) => 10 ** power);
  for (const rate of [
    LOWEST_RATE,
    ...powers.filter((power) => LOWEST_RATE < power && 3 * power < HIGHEST_RATE),
    HIGHEST_RATE,
  ]) {
    const mark = document.createElement("span");
    mark.style.cssText = `--at: ${positionOf(rate) / SLIDER_MAX}`;
    mark.textContent = rateText(rate);
    byId("decades").append(mark);
  }
}

function showPlaying() {
  byId("play").classList.toggle("playing", player.isPlaying);
  byId("play-text").textContent = player.isPlaying ? "Pause" : "Play";
}

function showTheme() {
  const { theme } = state;
  document.documentElement.dataset.theme = theme;
  const isDark = theme === "dark" || (theme === "auto" && prefersDark.matches);
  setAttributes(byId("theme"), { "aria-pressed": String(isDark) });
}

/** Return the sizes of the panels and of the text. */
const currentSizes = () =>
  [byId("ruler"), ...allPanels.map(({ svg }) => svg)]
    .map((element) => `${element.clientWidth} ${element.clientHeight}`)
    .join();

/** Lay out every panel at its size, and draw it. */
function layOut() {
  sizesAtLayout = currentSizes();
  for (const panel of allPanels) panel.layOut(scene);
  showStart();
  showEpoch(state.epoch);
}

/** Train and show the whole state. */
function showAll() {
  sampleAndTrain();
  buildRunList();
  showAnalysis();
  byId("seed").value = state.seed;
  showTheme();
  layOut();
}

/**
 * Show an error below a field, or with an empty sentence none.
 * @param {string} name
 * @param {string} sentence
 */
function showError(name, sentence) {
  const output = byId(`${name}-error`);
  output.textContent = sentence;
  for (const input of document.querySelectorAll(`[aria-describedby="${output.id}"]`)) {
    setAttributes(input, { "aria-invalid": String(sentence !== "") });
  }
}

// --- the link ---------------------------------------------------------------------------------

/** Write the state into the address when nothing has changed for a while. */
function scheduleLink() {
  clearTimeout(linkTimer);
  if (!player.isPlaying) linkTimer = setTimeout(writeLink, LINK_DELAY);
}

function writeLink() {
  writtenFragment = toFragment(state);
  try {
    history.replaceState(null, "", writtenFragment);
  } catch {
    // In an iframe the address may be read-only; Copy link still works.
  }
}

function readLink() {
  if (location.hash === writtenFragment) return;
  player.pause();
  state = fromFragment(location.hash, config);
  showAll();
  announce(describe(scene.chosen));
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

// --- what the reader does ---------------------------------------------------------------------

/**
 * Return the slider's position of a learning rate.
 * @param {number} rate
 */
function positionOf(rate) {
  const position =
    (SLIDER_MAX * Math.log(rate / LOWEST_RATE)) / Math.log(HIGHEST_RATE / LOWEST_RATE);
  return Math.max(0, Math.min(SLIDER_MAX, position));
}

/**
 * Return the learning rate at a position of the slider, with three digits.
 * @param {number} position
 */
function rateAt(position) {
  const rate = LOWEST_RATE * (HIGHEST_RATE / LOWEST_RATE) ** (position / SLIDER_MAX);
  return Number(rate.toPrecision(3));
}

/**
 * Return the learning rate that a key moves to: three digits, and never past an initial rate.
 * @param {number} rate
 * @param {number} steps
 */
function nextRate(rate, steps) {
  const inside = Math.max(LOWEST_RATE, Math.min(HIGHEST_RATE, rate));
  const moved = inside * (HIGHEST_RATE / LOWEST_RATE) ** (steps / KEY_STEPS);
  const next = Number(Math.max(LOWEST_RATE, Math.min(HIGHEST_RATE, moved)).toPrecision(3));
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
 * Train and show the chosen run at another learning rate.
 * @param {number} rate
 */
function useRate(rate) {
  setRate(rate);
  showChosen();
  showEpoch(state.epoch);
  scheduleLink();
}

/**
 * Train and show all runs from another start.
 * @param {number[]} start
 */
function useStart(start) {
  state.start = start;
  trainAll();
  showChosen();
  showStart();
  showEpoch(state.epoch);
  scheduleLink();
}

/**
 * Train and show all runs on the data of another seed.
 * @param {string} seed
 */
function useSeed(seed) {
  state.seed = seed;
  sampleAndTrain();
  byId("seed").value = seed;
  showError("seed", "");
  showChosen();
  showAnalysis();
  layOut();
  announce(`New noise, seed ${seed}. ${describe(scene.chosen)}`);
  scheduleLink();
}

/**
 * Pause, and show the epoch that the reader chose.
 * @param {number} epoch
 */
function pauseAt(epoch) {
  player.pause();
  showEpoch(Math.max(0, Math.min(config.epochs, epoch)));
  scheduleLink();
}

/**
 * Round a weight to about a pixel of the surface: two decimals if that is a few units wide.
 * @param {number} value
 */
function roundedWeight(value) {
  const [low, high] = panels.surface.bounds[0];
  const decimals = Math.max(0, Math.min(8, Math.round(2.6 - Math.log10(high - low))));
  return Number(value.toFixed(decimals));
}

function listen() {
  const rate = byId("rate");
  rate.addEventListener("input", () => {
    const position = Number(rate.value);
    const distance = (SNAP_PIXELS * SLIDER_MAX) / rate.clientWidth;
    const snapped = config.rates.find(
      (other) => other <= HIGHEST_RATE && Math.abs(positionOf(other) - position) < distance,
    );
    useRate(snapped ?? rateAt(position));
  });
  rate.addEventListener("change", () => announce(describe(scene.chosen)));
  rate.addEventListener("keydown", (event) => {
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
    const ends = /** @type {Record<string, number>} */ ({ Home: LOWEST_RATE, End: HIGHEST_RATE });
    useRate(ends[event.key] ?? nextRate(scene.chosen.rate, steps[event.key]));
    announce(describe(scene.chosen));
  });

  const exact = byId("exact");
  exact.addEventListener("input", () => {
    if (isRate(exact.value)) useRate(Number(exact.value));
  });
  exact.addEventListener("change", () => {
    if (isRate(exact.value)) announce(describe(scene.chosen));
    else showError("rate", `“${exact.value}” is not a positive number; give one such as 0.1.`);
  });

  on("runs", "change", (event) => {
    chooseRun(Number(/** @type {HTMLInputElement} */ (event.target).value));
    showChosen();
    showEpoch(state.epoch);
    announce(describe(scene.chosen));
    scheduleLink();
  });
  on("runs", "click", (event) => {
    const remove = /** @type {Element} */ (event.target).closest(".remove");
    if (!remove) return;
    const slot = Number(remove.id.replace("remove-", ""));
    const removed = scene.entries.find((entry) => entry.slot === slot);
    state.rates[slot] = null;
    scene.entries = scene.entries.filter((entry) => entry.slot !== slot);
    chooseRun(state.chosen);
    buildRunList();
    showEpoch(state.epoch);
    byId(`choose-${state.chosen}`).focus();
    announce(`The run at ${rateText(removed?.rate ?? 0)} is removed.`);
    scheduleLink();
  });
  on("add", "click", () => {
    const empty = state.rates.indexOf(null);
    const slot = empty < 0 ? state.rates.length : empty;
    const rates = state.rates.filter((other) => other !== null);
    let newRate = 0.3;
    while (rates.includes(newRate)) newRate = Number((0.6 * newRate).toPrecision(2));
    state.rates[slot] = newRate;
    state.chosen = slot;
    trainAll();
    buildRunList();
    showEpoch(state.epoch);
    rate.focus();
    announce(`A run is added. ${describe(scene.chosen)}`);
    scheduleLink();
  });

  on("play", "click", () => player.toggle(state.epoch));
  on("back", "click", () => pauseAt(state.epoch - 1));
  on("forward", "click", () => pauseAt(state.epoch + 1));
  on("epoch", "input", () => pauseAt(Number(byId("epoch").value)));
  on("epoch", "change", () => announce(describe(scene.chosen)));
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLInputElement} */ (event.target);
    const takesSpace =
      target.closest("button, summary, a, textarea") || ["text", "radio"].includes(target.type);
    if (event.key !== " " || takesSpace || hasModifier(event)) return;
    event.preventDefault();
    player.toggle(state.epoch);
  });

  const seed = byId("seed");
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
      showError(
        "start",
        invalid === undefined
          ? ""
          : `“${invalid}” is not a weight; give a number from −10⁶ to 10⁶.`,
      );
      if (invalid !== undefined) return;
      useStart(texts.map(Number));
      announce(describe(scene.chosen));
    });
  }
  listenToSurface();

  on("link", "click", () => {
    writeLink();
    copy(location.href.replace(/#.*$/, "") + writtenFragment, "Link");
  });
  on("command", "click", () => copy(toCommand(state, config), "Command"));
  on("reset", "click", () => {
    state = { ...initialState(config), epoch: state.epoch, theme: state.theme };
    showAll();
    announce("All settings are reset.");
    scheduleLink();
  });
  on("theme", "click", () => {
    state.theme = byId("theme").getAttribute("aria-pressed") === "true" ? "light" : "dark";
    showTheme();
    scheduleLink();
  });
  prefersDark.addEventListener("change", showTheme);
  addEventListener("hashchange", readLink);

  let epochBeforePrint = 0;
  addEventListener("beforeprint", () => {
    epochBeforePrint = state.epoch;
    player.pause();
    showEpoch(config.epochs);
  });
  addEventListener("afterprint", () => showEpoch(epochBeforePrint));
  const sizes = new ResizeObserver(() => {
    if (currentSizes() !== sizesAtLayout) layOut();
  });
  for (const panel of allPanels) sizes.observe(panel.svg);
  sizes.observe(byId("ruler"));
}

function listenToSurface() {
  const { handle, svg } = panels.surface;
  let dragging = false;
  /** @param {PointerEvent | MouseEvent} event */
  const startAt = (event) =>
    panels.surface.weightsAt(event.clientX, event.clientY).map(roundedWeight);
  const restart = () => {
    announce(describe(scene.chosen));
    if (!reducedMotion.matches) player.play(0);
  };
  handle.addEventListener("pointerdown", (event) => {
    dragging = true;
    player.pause();
    handle.setPointerCapture(event.pointerId);
    handle.focus();
    event.preventDefault();
  });
  handle.addEventListener("pointermove", (event) => {
    if (dragging) useStart(startAt(event));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    handle.addEventListener(end, () => {
      if (dragging) restart();
      dragging = false;
    });
  }
  svg.addEventListener("click", (event) => {
    if (handle.contains(/** @type {Node} */ (event.target))) return;
    useStart(startAt(event));
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
    useStart(state.start.map((weight, i) => roundedWeight(weight + direction[i] * step)));
    announce(
      `Start at slope ${coordinateText(state.start[0])}, bias ${coordinateText(state.start[1])}. ${describe(scene.chosen)}`,
    );
  });
}

// --- begin ------------------------------------------------------------------------------------

function begin() {
  const isLinked = location.hash.length > 1;
  state = fromFragment(location.hash, config);
  if (!isLinked && reducedMotion.matches) state.epoch = config.epochs;
  if (isLinked) writtenFragment = location.hash;
  byId("app").hidden = false;
  byId("theme").hidden = false;
  byId("sampled").hidden = !config.sampling;
  byId("epoch").max = String(config.epochs);
  showScale();
  showAll();
  listen();
  if (!isLinked && !reducedMotion.matches) player.play(0);
}

requestAnimationFrame(() => setTimeout(begin)); // so that the question is painted first
