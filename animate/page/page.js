/** The page: what the reader sets, computed, drawn and said. */

import { LARGEST_SEED } from "./constants.js";
import { diagnose, factsOf, train } from "./descent.js";
import { dashes, markerPath, set } from "./drawing.js";
import { coordinateText, valueText, limitText, lineEquation, rateText, shareText } from "./numbers.js";
import { BowlPanel, FitPanel, LossPanel, SurfacePanel } from "./panels.js";
import { Player } from "./player.js";
import { sample } from "./random.js";
import { commandOf, fromFragment, initial, isRate, isSeed, isWeight, toFragment } from "./state.js";

const POSITIONS = 1000;
const KEY_STEPS = 400; // of the arrow keys, from one end to the other
const SNAP = 7; // pixels
const REST = 250; // milliseconds without a change, after which the link is written

/**
 * An element by its id; typed as an input, which has all that the others have.
 * @param {string} id
 */
const find = (id) => /** @type {HTMLInputElement} */ (document.getElementById(id));

/**
 * @param {string} id
 * @param {string} type
 * @param {(event: Event) => void} heard
 */
const on = (id, type, heard) => find(id).addEventListener(type, heard);

/** @type {import("./state.js").Film} */
const film = JSON.parse(find("film").textContent ?? "");
/** @param {string} text */
const unpacked = (text) =>
  new Float32Array(Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0)).buffer);
const given = { x: unpacked(film.x), y: unpacked(film.y) };
// The slider's ends: around the limit, where the data's is elsewhere than the usual one.
const isUsual = film.limit > 0.01 && film.limit < 4;
const [SLOWEST, FASTEST] = isUsual
  ? [0.001, 5]
  : [film.limit / 1000, film.limit * 5].map((rate) => Number(rate.toPrecision(1)));
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const panels = {
  fit: new FitPanel("fit"),
  loss: new LossPanel("loss"),
  surface: new SurfacePanel("surface"),
  bowl: new BowlPanel("bowl"),
};
const everyPanel = Object.values(panels);

let state = initial(film);
/** @type {import("./panels.js").Lesson} */
let lesson;
let written = ""; // the fragment that this page has set itself
let resting = 0;
let shownSizes = "";
const player = new Player(film.epochs, show, () => {
  showPlaying();
  settle();
});

// --- computing --------------------------------------------------------------------------------

/** Take the data of the state's seed, and train every run on them. */
function takeData() {
  const isGiven = !film.sampling || state.seed === film.sampling.seed;
  const { points, noise } = film.sampling ?? { points: 0, noise: "" };
  const data = isGiven ? given : sample(state.seed, points, noise, film.trueWeights ?? []);
  const facts = factsOf(data);
  if (isGiven) facts.limit = film.limit; // to the last bit, where a run is at it
  const { start, trueWeights, epochs, styles } = film;
  const common = { home: start, trueWeights, epochs, styles, epoch: state.epoch };
  const entries = /** @type {import("./panels.js").Entry[]} */ ([]);
  lesson = { ...common, data, facts, start: state.start, entries, chosen: entries[0] };
  trainAll();
}

/** Train every run anew, from the state's start. */
function trainAll() {
  lesson.start = state.start;
  lesson.entries = state.rates.flatMap((rate, slot) =>
    rate === null ? [] : [trained(rate, slot)],
  );
  choose(state.chosen);
}

/**
 * @param {number} rate
 * @param {number} slot
 * @returns {import("./panels.js").Entry}
 */
function trained(rate, slot) {
  const run = train(lesson.data, rate, state.start, film.epochs);
  return { rate, slot, run, diagnosis: diagnose(rate, run, lesson.facts) };
}

/** @param {number} slot */
function choose(slot) {
  lesson.chosen = lesson.entries.find((entry) => entry.slot === slot) ?? lesson.entries[0];
  state.chosen = lesson.chosen.slot;
}

/** @param {number} rate */
function setRate(rate) {
  state.rates[state.chosen] = rate;
  lesson.entries = lesson.entries.map((entry) =>
    entry.slot === state.chosen ? trained(rate, entry.slot) : entry,
  );
  choose(state.chosen);
}

// --- showing ----------------------------------------------------------------------------------

/**
 * Show an epoch everywhere.
 * @param {number} epoch
 */
function show(epoch) {
  const before = lesson.epoch;
  state.epoch = epoch;
  lesson.epoch = epoch;
  for (const panel of everyPanel) panel.draw(lesson);
  find("epoch").value = String(epoch);
  find("epoch-text").textContent = `${epoch} of ${film.epochs}`;
  find("back").disabled = epoch === 0;
  find("forward").disabled = epoch === film.epochs;
  for (const entry of lesson.entries) showRun(entry);
  const earned = lesson.entries.filter(
    ({ diagnosis: { earnedAt } }) => before < earnedAt && earnedAt <= epoch,
  );
  if (player.isPlaying && earned.length) say(earned.map(spoken).join(" "));
}

/** @param {import("./panels.js").Entry} entry */
function showRun({ slot, run, diagnosis }) {
  const { epoch } = lesson;
  const item = find(`run-${slot}`);
  const [loss, line, verdict] = ["loss", "line", "verdict"].map(
    (name) => /** @type {HTMLElement} */ (item.querySelector(`.${name}`)),
  );
  const { overflowedAt, earnedAt, sentence } = diagnosis;
  const overflowed = overflowedAt !== null && epoch >= overflowedAt;
  const unfinished = diagnosis.verdict === "converging" && epoch === film.epochs;
  loss.textContent = overflowed
    ? `overflowed at epoch ${overflowedAt}`
    : `loss ${valueText(run.losses[epoch])}`;
  line.textContent = overflowed ? "" : lineEquation(run.slopes[epoch], run.biases[epoch]);
  if (unfinished)
    line.textContent = `fastest rate ${rateText(Number(lesson.facts.bestRate.toPrecision(2)))}`;
  const earned = epoch >= earnedAt;
  const mark = { converged: "✓ ", diverging: "✗ ", converging: "" }[diagnosis.verdict];
  verdict.textContent = earned
    ? mark + sentence
    : `${shareText(diagnosis.left[epoch])} of the way left`;
  verdict.classList.toggle("earned", earned);
  if (slot === state.chosen) find("now").textContent = verdict.textContent;
}

/**
 * What the live region says of a run.
 * @param {import("./panels.js").Entry} entry
 */
function spoken({ rate, run, diagnosis }) {
  const { epoch } = lesson;
  const earned = epoch >= diagnosis.earnedAt;
  const verdict = earned
    ? diagnosis.sentence
    : `loss ${valueText(run.losses[epoch])} at epoch ${epoch}`;
  const overflow = diagnosis.overflowedAt !== null && epoch >= diagnosis.overflowedAt;
  const end = overflow ? `, overflowed at epoch ${diagnosis.overflowedAt}` : "";
  return `Learning rate ${rateText(rate)}: ${verdict}${end}.`;
}

/** @param {string} sentence */
function say(sentence) {
  find("live").textContent = sentence;
}

/** @param {number} slot */
const colors = (slot) => `--color: var(--run${slot}); --text: var(--text${slot})`;

/** Build the list of runs; the focus stays where it was, if that is still there. */
function listRuns() {
  const focused = document.activeElement?.id;
  const template = /** @type {HTMLTemplateElement} */ (/** @type {HTMLElement} */ (find("run")));
  const items = lesson.entries.map(({ slot, rate }) => {
    const item = /** @type {HTMLElement} */ (
      /** @type {Element} */ (template.content.firstElementChild).cloneNode(true)
    );
    item.id = `run-${slot}`;
    item.style.cssText = colors(slot);
    const [radio, remove] = [...item.querySelectorAll("input, button")];
    radio.id = `choose-${slot}`;
    remove.id = `remove-${slot}`;
    set(radio, { value: slot });
    const style = film.styles[slot];
    const [line, marker] = item.querySelectorAll("path");
    set(line, { "stroke-dasharray": dashes(style, 3) });
    set(marker, { d: markerPath(style[0], 22, 8, 5) });
    nameRun(item, rate);
    return item;
  });
  find("runs").replaceChildren(...items);
  if (focused) document.getElementById(focused)?.focus();
  showChosen();
}

/**
 * @param {HTMLElement} item
 * @param {number} rate
 */
function nameRun(item, rate) {
  /** @type {HTMLElement} */ (item.querySelector(".name")).textContent = rateText(rate);
  const remove = /** @type {HTMLButtonElement} */ (item.querySelector(".remove"));
  set(remove, { "aria-label": `Remove the run at ${rateText(rate)}` });
}

/** Show which run the slider sets, and its rate. */
function showChosen() {
  const { rate, slot } = lesson.chosen;
  find(`choose-${slot}`).checked = true;
  for (const { slot: other } of lesson.entries) {
    find(`run-${other}`).classList.toggle("chosen", other === slot);
    find(`remove-${other}`).disabled = lesson.entries.length === 1;
  }
  nameRun(find(`run-${slot}`), rate);
  find("drive").style.cssText = colors(slot);
  const slider = find("rate");
  slider.value = String(positionOf(rate));
  set(slider, { "aria-valuetext": rateText(rate) });
  if (document.activeElement !== find("exact")) find("exact").value = String(rate);
  complain("rate", "");
  find("add").disabled = lesson.entries.length === film.styles.length;
}

/** Show what the data and the start decide. */
function showFacts() {
  const { limit, bestRate, best } = lesson.facts;
  const texts = {
    limit: limitText(limit, 2 * limit),
    "best-rate": rateText(Number(bestRate.toPrecision(2))),
    "best-slope": coordinateText(best[0]),
    "best-bias": coordinateText(best[1]),
  };
  for (const [name, text] of Object.entries(texts)) {
    for (const place of document.querySelectorAll(`[data-fact="${name}"]`))
      place.textContent = text;
  }
  for (const [id, rate] of /** @type {[string, number][]} */ ([
    ["tick-limit", limit],
    ["tick-best", bestRate],
  ])) {
    find(id).style.setProperty("--at", String(positionOf(rate) / POSITIONS));
    find(id).hidden = rate < SLOWEST || rate > FASTEST;
  }
}

/** Show the start, in the fields and for who cannot see the surface. */
function showStart() {
  const [slope, bias] = state.start;
  if (document.activeElement !== find("slope")) find("slope").value = String(slope);
  if (document.activeElement !== find("bias")) find("bias").value = String(bias);
  const text = `slope ${coordinateText(slope)}, bias ${coordinateText(bias)}`;
  const [low, high] = panels.surface.bounds[0];
  set(panels.surface.handle, {
    "aria-valuenow": slope,
    "aria-valuemin": low,
    "aria-valuemax": high,
    "aria-valuetext": text,
  });
}

/** Write rates under the slider: its ends, and the powers of ten between. */
function showScale() {
  const powers = [-9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5].map((power) => 10 ** power);
  for (const rate of [
    SLOWEST,
    ...powers.filter((one) => SLOWEST < one && 3 * one < FASTEST),
    FASTEST,
  ]) {
    const mark = document.createElement("span");
    mark.style.cssText = `--at: ${positionOf(rate) / POSITIONS}`;
    mark.textContent = rateText(rate);
    find("decades").append(mark);
  }
}

function showPlaying() {
  find("play").classList.toggle("playing", player.isPlaying);
  find("play-text").textContent = player.isPlaying ? "Pause" : "Play";
}

function showTheme() {
  const { theme } = state;
  document.documentElement.dataset.theme = theme;
  const isDark = theme === "dark" || (theme === "auto" && dark.matches);
  set(find("theme"), { "aria-pressed": String(isDark) });
}

/** The present sizes of the panels and of the text. */
const sizesNow = () =>
  [find("ruler"), ...everyPanel.map(({ svg }) => svg)]
    .map((element) => `${element.clientWidth} ${element.clientHeight}`)
    .join();

/** Set out every panel at its present size, and show all. */
function setOut() {
  shownSizes = sizesNow();
  for (const panel of everyPanel) panel.setOut(lesson);
  showStart();
  show(state.epoch);
}

/** Show a state in full. */
function showAll() {
  takeData();
  listRuns();
  showFacts();
  find("seed").value = state.seed;
  showTheme();
  setOut();
}

/**
 * Show a sentence on what cannot be used, or none.
 * @param {string} name
 * @param {string} sentence
 */
function complain(name, sentence) {
  const place = find(`${name}-error`);
  place.textContent = sentence;
  for (const input of document.querySelectorAll(`[aria-describedby="${place.id}"]`)) {
    set(input, { "aria-invalid": String(sentence !== "") });
  }
}

// --- the link ---------------------------------------------------------------------------------

/** Write the state into the address once nothing has changed for a while. */
function settle() {
  clearTimeout(resting);
  if (!player.isPlaying) resting = setTimeout(writeLink, REST);
}

function writeLink() {
  written = toFragment(state);
  try {
    history.replaceState(null, "", written);
  } catch {
    // A page inside another may not have an address of its own; Copy link still works.
  }
}

function readLink() {
  if (location.hash === written) return;
  player.pause();
  state = fromFragment(location.hash, film);
  showAll();
  say(spoken(lesson.chosen));
}

/**
 * Copy a text, or show it to be copied where the browser does not allow that.
 * @param {string} text
 * @param {string} what
 */
async function copy(text, what) {
  const shown = find("copied");
  shown.value = text;
  find("copied-box").hidden = false;
  try {
    await navigator.clipboard.writeText(text);
    find("said").textContent = `${what} copied.`;
  } catch {
    shown.select();
    find("said").textContent = `Copy the ${what.toLowerCase()} from the box: press Ctrl+C or ⌘C.`;
  }
}

// --- what the reader does ---------------------------------------------------------------------

/** @param {number} rate */
function positionOf(rate) {
  const position = (POSITIONS * Math.log(rate / SLOWEST)) / Math.log(FASTEST / SLOWEST);
  return Math.max(0, Math.min(POSITIONS, position));
}

/** @param {number} position */
function rateAt(position) {
  const rate = SLOWEST * (FASTEST / SLOWEST) ** (position / POSITIONS);
  return Number(rate.toPrecision(3));
}

/**
 * The next rate by key, up or down: round, and never past one of the film's.
 * @param {number} rate
 * @param {number} steps
 */
function nextRate(rate, steps) {
  const near = Math.max(SLOWEST, Math.min(FASTEST, rate));
  const grown = near * (FASTEST / SLOWEST) ** (steps / KEY_STEPS);
  const next = Number(Math.max(SLOWEST, Math.min(FASTEST, grown)).toPrecision(3));
  const passed = film.rates.filter(
    (other) => (rate < other && other <= next) || (next <= other && other < rate),
  );
  return passed.length
    ? passed.sort((one, other) => Math.abs(one - rate) - Math.abs(other - rate))[0]
    : next;
}

/** @param {KeyboardEvent} event */
const hasModifier = (event) => event.altKey || event.ctrlKey || event.metaKey;

/** @param {number} rate */
function useRate(rate) {
  setRate(rate);
  showChosen();
  show(state.epoch);
  settle();
}

/** @param {number[]} start */
function useStart(start) {
  state.start = start;
  trainAll();
  showChosen();
  showStart();
  show(state.epoch);
  settle();
}

/** @param {string} seed */
function useSeed(seed) {
  state.seed = seed;
  takeData();
  find("seed").value = seed;
  complain("seed", "");
  showChosen();
  showFacts();
  setOut();
  say(`New noise, seed ${seed}. ${spoken(lesson.chosen)}`);
  settle();
}

/**
 * Show an epoch that the reader has asked for.
 * @param {number} epoch
 */
function goTo(epoch) {
  player.pause();
  show(Math.max(0, Math.min(film.epochs, epoch)));
  settle();
}

/**
 * Two decimals where the surface is a few weights wide, and as fine where it is not.
 * @param {number} value
 */
function roundedWeight(value) {
  const [low, high] = panels.surface.bounds[0];
  const decimals = Math.max(0, Math.min(8, Math.round(2.6 - Math.log10(high - low))));
  return Number(value.toFixed(decimals));
}

function listen() {
  const rate = find("rate");
  rate.addEventListener("input", () => {
    const position = Number(rate.value);
    const reach = (SNAP * POSITIONS) / rate.clientWidth;
    const near = film.rates.find(
      (other) => other <= FASTEST && Math.abs(positionOf(other) - position) < reach,
    );
    useRate(near ?? rateAt(position));
  });
  rate.addEventListener("change", () => say(spoken(lesson.chosen)));
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
    const ends = /** @type {Record<string, number>} */ ({ Home: SLOWEST, End: FASTEST });
    useRate(ends[event.key] ?? nextRate(lesson.chosen.rate, steps[event.key]));
    say(spoken(lesson.chosen));
  });

  const exact = find("exact");
  exact.addEventListener("input", () => {
    if (isRate(exact.value)) useRate(Number(exact.value));
  });
  exact.addEventListener("change", () => {
    if (isRate(exact.value)) say(spoken(lesson.chosen));
    else complain("rate", `“${exact.value}” is not a positive number; give one such as 0.1.`);
  });

  on("runs", "change", (event) => {
    choose(Number(/** @type {HTMLInputElement} */ (event.target).value));
    showChosen();
    show(state.epoch);
    say(spoken(lesson.chosen));
    settle();
  });
  on("runs", "click", (event) => {
    const remove = /** @type {Element} */ (event.target).closest(".remove");
    if (!remove) return;
    const slot = Number(remove.id.replace("remove-", ""));
    const gone = lesson.entries.find((entry) => entry.slot === slot);
    state.rates[slot] = null;
    lesson.entries = lesson.entries.filter((entry) => entry.slot !== slot);
    choose(state.chosen);
    listRuns();
    show(state.epoch);
    find(`choose-${state.chosen}`).focus();
    say(`The run at ${rateText(gone?.rate ?? 0)} is removed.`);
    settle();
  });
  on("add", "click", () => {
    const empty = state.rates.indexOf(null);
    const slot = empty < 0 ? state.rates.length : empty;
    const rates = state.rates.filter((other) => other !== null);
    let fresh = 0.3;
    while (rates.includes(fresh)) fresh = Number((0.6 * fresh).toPrecision(2));
    state.rates[slot] = fresh;
    state.chosen = slot;
    trainAll();
    listRuns();
    show(state.epoch);
    rate.focus();
    say(`A run is added. ${spoken(lesson.chosen)}`);
    settle();
  });

  on("play", "click", () => player.toggle(state.epoch));
  on("back", "click", () => goTo(state.epoch - 1));
  on("forward", "click", () => goTo(state.epoch + 1));
  on("epoch", "input", () => goTo(Number(find("epoch").value)));
  on("epoch", "change", () => say(spoken(lesson.chosen)));
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLInputElement} */ (event.target);
    const takesSpace =
      target.closest("button, summary, a, textarea") || ["text", "radio"].includes(target.type);
    if (event.key !== " " || takesSpace || hasModifier(event)) return;
    event.preventDefault();
    player.toggle(state.epoch);
  });

  const seed = find("seed");
  seed.addEventListener("change", () => {
    if (isSeed(seed.value.trim())) useSeed(String(BigInt(seed.value.trim())));
    else complain("seed", `“${seed.value}” is not a seed; give a whole number, up to 2⁶⁴ − 1.`);
  });
  on("noise", "click", () =>
    useSeed(String((BigInt(state.seed) + 1n) % (BigInt(LARGEST_SEED) + 1n))),
  );
  for (const id of ["slope", "bias"]) {
    find(id).addEventListener("change", () => {
      const texts = [find("slope").value, find("bias").value];
      const wrong = texts.find((text) => !isWeight(text));
      complain(
        "start",
        wrong === undefined ? "" : `“${wrong}” is not a weight; give a number from −10⁶ to 10⁶.`,
      );
      if (wrong !== undefined) return;
      useStart(texts.map(Number));
      say(spoken(lesson.chosen));
    });
  }
  listenToSurface();

  on("link", "click", () => {
    writeLink();
    copy(location.href.replace(/#.*$/, "") + written, "Link");
  });
  on("command", "click", () => copy(commandOf(state, film), "Command"));
  on("reset", "click", () => {
    state = { ...initial(film), epoch: state.epoch, theme: state.theme };
    showAll();
    say("All is as it was made.");
    settle();
  });
  on("theme", "click", () => {
    state.theme = find("theme").getAttribute("aria-pressed") === "true" ? "light" : "dark";
    showTheme();
    settle();
  });
  dark.addEventListener("change", showTheme);
  addEventListener("hashchange", readLink);

  let shownBefore = 0;
  addEventListener("beforeprint", () => {
    shownBefore = state.epoch;
    player.pause();
    show(film.epochs);
  });
  addEventListener("afterprint", () => show(shownBefore));
  const sizes = new ResizeObserver(() => {
    if (sizesNow() !== shownSizes) setOut();
  });
  for (const panel of everyPanel) sizes.observe(panel.svg);
  sizes.observe(find("ruler"));
}

function listenToSurface() {
  const { handle, svg } = panels.surface;
  let dragging = false;
  /** @param {PointerEvent | MouseEvent} event */
  const startAt = (event) =>
    panels.surface.weightsAt(event.clientX, event.clientY).map(roundedWeight);
  const restart = () => {
    say(spoken(lesson.chosen));
    if (!calm.matches) player.play(0);
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
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };
    const way = ways[event.key];
    if (!way || hasModifier(event)) return;
    event.preventDefault();
    const [low, high] = panels.surface.bounds[0];
    const step = 10 ** Math.floor(Math.log10((high - low) / 50)) * (event.shiftKey ? 10 : 1);
    useStart(state.start.map((weight, i) => roundedWeight(weight + way[i] * step)));
    say(
      `Start at slope ${coordinateText(state.start[0])}, bias ${coordinateText(state.start[1])}. ${spoken(lesson.chosen)}`,
    );
  });
}

// --- begin ------------------------------------------------------------------------------------

function begin() {
  const linked = location.hash.length > 1;
  state = fromFragment(location.hash, film);
  if (!linked && calm.matches) state.epoch = film.epochs;
  if (linked) written = location.hash;
  find("app").hidden = false;
  find("theme").hidden = false;
  find("sampled").hidden = !film.sampling;
  find("epoch").max = String(film.epochs);
  showScale();
  showAll();
  listen();
  if (!linked && !calm.matches) player.play(0);
}

requestAnimationFrame(() => setTimeout(begin)); // the question is painted first
