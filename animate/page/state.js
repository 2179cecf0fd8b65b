/** The reader's settings, and their text in the link and in the command. */

import { LARGEST_SEED, LARGEST_WEIGHT, THEMES } from "./constants.js";

/**
 * The settings that Python writes into the page. `x` and `y` are float32 bytes in base64; `sampling`
 * is null for data from arrays.
 * @typedef {{
 *   theme: string, epochs: number, rates: number[], x: string, y: string, start: number[],
 *   trueWeights: number[] | null, stabilityLimit: number,
 *   sampling: {seed: string, points: number, noise: string} | null,
 *   styles: import("./drawing.js").Style[],
 * }} Config
 *
 * What the reader can change. `rates` has an item for each slot, null for a removed run; `chosen` is
 * a slot.
 * @typedef {{
 *   rates: (number | null)[], chosen: number, epoch: number, seed: string, start: number[],
 *   theme: string,
 * }} State
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
    theme: config.theme,
  };
}

/** @param {string} text */
export function isRate(text) {
  const rate = Number(text);
  return text.trim() !== "" && Number.isFinite(rate) && rate > 0;
}

/** @param {string} text */
export function isSeed(text) {
  return /^[0-9]{1,20}$/.test(text) && BigInt(text) <= BigInt(LARGEST_SEED);
}

/** @param {string} text */
export function isWeight(text) {
  return text.trim() !== "" && Math.abs(Number(text)) <= LARGEST_WEIGHT;
}

/**
 * Return the state as the fragment of the page's address.
 * @param {State} state
 */
export function toFragment({ rates, chosen, epoch, seed, start, theme }) {
  const parts = [
    `lr=${rates.map((rate) => rate ?? "").join(",")}`,
    `run=${chosen + 1}`,
    `epoch=${epoch}`,
  ];
  if (seed) parts.push(`seed=${seed}`);
  parts.push(`start=${start.join(",")}`);
  if (theme !== "auto") parts.push(`theme=${theme}`);
  return `#${parts.join("&")}`;
}

/**
 * Return the state of a fragment; a missing or invalid part keeps its initial value.
 * @param {string} fragment
 * @param {Config} config
 * @returns {State}
 */
export function fromFragment(fragment, config) {
  const state = initialState(config);
  const parts = new URLSearchParams(fragment.replace(/^#/, ""));
  const rates = (parts.get("lr") ?? "").split(",").slice(0, config.styles.length);
  if (rates.some(isRate)) state.rates = rates.map((text) => (isRate(text) ? Number(text) : null));
  const used = state.rates.flatMap((rate, slot) => (rate === null ? [] : [slot]));
  const chosen = Number(parts.get("run")) - 1;
  state.chosen = used.includes(chosen) ? chosen : used[0];
  const epoch = parts.get("epoch") ?? "";
  if (/^\d+$/.test(epoch)) state.epoch = Math.min(Number(epoch), config.epochs);
  const seed = parts.get("seed") ?? "";
  if (config.sampling && isSeed(seed)) state.seed = String(BigInt(seed));
  const start = (parts.get("start") ?? "").split(",");
  if (start.length === 2 && start.every(isWeight)) state.start = start.map(Number);
  const theme = parts.get("theme") ?? "";
  if (THEMES.includes(theme)) state.theme = theme;
  return state;
}

/**
 * Return the command that makes a film of this state; for data from arrays, the Python call.
 * @param {State} state
 * @param {Config} config
 */
export function toCommand({ rates, seed, start }, { epochs, sampling, trueWeights }) {
  const different = [...new Set(rates.filter((rate) => rate !== null))];
  if (!sampling || !trueWeights) {
    const problem = `dataclasses.replace(problem, start=(${start.join(", ")}))`;
    return (
      "# No command makes these data, which came from arrays. In Python, with their problem:\n" +
      `animate.train(${problem}, lrs=[${different.join(", ")}], epochs=${epochs})`
    );
  }
  // All options are written, so that a later change of a default changes nothing.
  const { points, noise } = sampling;
  const [rest, data] = [`--epochs ${epochs} --seed ${seed}`, `--points ${points} --noise ${noise}`];
  const weights = `--true ${trueWeights.join(" ")} --start ${start.join(" ")}`;
  return `python -m animate --lrs ${different.join(" ")} ${rest} ${data} ${weights}`;
}
