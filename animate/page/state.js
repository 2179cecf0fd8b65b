/** The reader's settings, and their text in the link and in the command. */

import { LARGEST_SEED, LARGEST_WEIGHT, THEMES } from "./constants.js";

/** @import {Style} from "./drawing.js" */

/** The charts, in the order of their tabs; a small window shows one of them. */
export const CHARTS = ["bowl", "loss", "fit", "surface", "rates", "step"];
const [SMALLEST_SCALE, LARGEST_SCALE] = [0.25, 10]; // of x
const LARGEST_MOMENTUM = 0.99;

/**
 * The settings that Python writes into the page. `x` and `y` are float32 bytes in base64; `sampling`
 * is null for data from arrays.
 * @typedef {{
 *   theme: string, epochs: number, rates: number[], x: string, y: string, start: number[],
 *   trueWeights: number[] | null, stabilityLimit: number,
 *   sampling: {seed: string, points: number, noise: string} | null,
 *   styles: Style[],
 * }} Config
 *
 * All that the reader can change. `rates` has an item for each slot, null for a removed run;
 * `chosen` is a slot; `scale` multiplies x; `batchSize` is 0 for all points; `chart` is the one that
 * a small window shows.
 * @typedef {Readonly<{
 *   rates: (number | null)[], chosen: number, epoch: number, seed: string, start: number[],
 *   scale: number, momentum: number, batchSize: number, adam: boolean, theme: string,
 *   chart: string,
 * }>} State
 */

/**
 * Return the state with which the page opens.
 * @param {Config} config
 * @returns {State}
 */
export function initialState(config) {
  return {
    rates: [...config.rates],
    chosen: 0,
    epoch: 0,
    seed: config.sampling?.seed ?? "",
    start: [...config.start],
    scale: 1,
    momentum: 0,
    batchSize: 0,
    adam: false,
    theme: config.theme,
    chart: CHARTS[0],
  };
}

/**
 * Return the number that a reader typed, with a decimal point or comma; NaN if it is none.
 * @param {string} text
 */
export function parseNumber(text) {
  const plain = text
    .trim()
    .replace(/^([^.,]*),([^.,]*)$/, "$1.$2")
    .replace("\u2212", "-");
  return plain === "" ? Number.NaN : Number(plain);
}

/** @param {string} text */
export function isRate(text) {
  const rate = parseNumber(text);
  return Number.isFinite(rate) && rate > 0;
}

/** @param {string} text */
export function isSeed(text) {
  return /^[0-9]{1,20}$/.test(text) && BigInt(text) <= BigInt(LARGEST_SEED);
}

/** @param {string} text */
export function isWeight(text) {
  return Math.abs(parseNumber(text)) <= LARGEST_WEIGHT;
}

/**
 * Return the state as the fragment of the page's address. Without an epoch, the link plays.
 * @param {State} state
 * @param {boolean} [plays]
 */
export function toFragment(state, plays = false) {
  const { rates, chosen, epoch, seed, start, theme, scale, momentum, batchSize } = state;
  const parts = [`lr=${rates.map((rate) => rate ?? "").join(",")}`, `run=${chosen + 1}`];
  if (!plays && epoch) parts.push(`epoch=${epoch}`);
  if (seed) parts.push(`seed=${seed}`);
  parts.push(`start=${start.join(",")}`);
  if (scale !== 1) parts.push(`scale=${scale}`);
  if (momentum) parts.push(`momentum=${momentum}`);
  if (batchSize) parts.push(`batch=${batchSize}`);
  if (state.adam) parts.push("adam=1");
  if (theme !== "auto") parts.push(`theme=${theme}`);
  if (state.chart !== CHARTS[0]) parts.push(`chart=${state.chart}`);
  return `#${parts.join("&")}`;
}

/**
 * Return the state of a fragment, and whether the link plays; a missing or invalid part keeps its
 * initial value.
 * @param {string} fragment
 * @param {Config} config
 * @returns {{state: State, plays: boolean}}
 */
export function fromFragment(fragment, config) {
  const parts = new URLSearchParams(fragment.replace(/^#/, ""));
  const initial = initialState(config);
  /**
   * @param {string} name
   * @param {number} least
   * @param {number} most
   * @param {number} initially
   */
  const number = (name, least, most, initially) => {
    const value = parseNumber(parts.get(name) ?? "");
    return value >= least && value <= most ? value : initially;
  };
  const texts = (parts.get("lr") ?? "").split(",").slice(0, config.styles.length);
  const rates = texts.some(isRate)
    ? texts.map((text) => (isRate(text) ? Number(text) : null))
    : initial.rates;
  const used = rates.flatMap((rate, slot) => (rate === null ? [] : [slot]));
  const chosen = Number(parts.get("run")) - 1;
  const epoch = parts.get("epoch") ?? "";
  const seed = parts.get("seed") ?? "";
  const start = (parts.get("start") ?? "").split(",");
  const theme = parts.get("theme") ?? "";
  const chart = parts.get("chart") ?? "";
  const adam = parts.get("adam") === "1";
  const state = {
    rates,
    chosen: used.includes(chosen) ? chosen : used[0],
    epoch: /^\d+$/.test(epoch) ? Math.min(Number(epoch), config.epochs) : 0,
    seed: config.sampling && isSeed(seed) ? String(BigInt(seed)) : initial.seed,
    start: start.length === 2 && start.every(isWeight) ? start.map(parseNumber) : initial.start,
    scale: number("scale", SMALLEST_SCALE, LARGEST_SCALE, 1),
    momentum: adam ? 0 : number("momentum", 0, LARGEST_MOMENTUM, 0),
    batchSize: Math.floor(number("batch", 1, 1e6, 0)),
    adam,
    theme: THEMES.includes(theme) ? theme : initial.theme,
    chart: CHARTS.includes(chart) ? chart : initial.chart,
  };
  return { state, plays: !/^\d+$/.test(epoch) };
}

/**
 * Return the command that makes a film of this state, to be run in a clone of the project; for data
 * that no command makes, the Python call.
 * @param {State} state
 * @param {Config} config
 */
export function toCommand(state, { epochs, sampling, trueWeights }) {
  const { rates, seed, start, scale, momentum, batchSize, adam } = state;
  const different = [...new Set(rates.filter((rate) => rate !== null))];
  if (!sampling || !trueWeights || scale !== 1) {
    const settings = [
      adam ? 'optimizer="adam"' : "",
      momentum ? `momentum=${momentum}` : "",
      batchSize ? `batch_size=${batchSize}` : "",
    ].filter(Boolean);
    const lrs = `[${different.join(", ")}]`;
    const runs = settings.length
      ? `[animate.Hyperparameters(lr, ${settings.join(", ")}) for lr in ${lrs}]`
      : `lrs=${lrs}`;
    const x = scale === 1 ? "problem.x" : `problem.x * np.float32(${scale})`;
    return (
      "# No command makes these data. In Python, with the problem of the page:\n" +
      `line = animate.Line(${x}, problem.y, start=(${start.join(", ")}))\n` +
      `animate.train(line, ${runs}, epochs=${epochs})`
    );
  }
  // All options are written, so that a later change of a default changes nothing.
  const { points, noise } = sampling;
  return [
    `./scripts/run --lrs ${different.join(" ")} --epochs ${epochs} --seed ${seed}`,
    `--points ${points} --noise ${noise} --true ${trueWeights.join(" ")} --start ${start.join(" ")}`,
    ...(adam ? ["--optimizer adam"] : []),
    ...(momentum ? [`--momentum ${momentum}`] : []),
    ...(batchSize ? [`--batch-size ${batchSize}`] : []),
  ].join(" ");
}
