/** What the reader has set, as text: in the link's fragment, and as the command that films it. */

import { LARGEST_SEED, LARGEST_WEIGHT, THEMES } from "./constants.js";

/**
 * What the page was made of: `x` and `y` are float32 bytes in base64; `sampling` is null where the data came from arrays.
 * @typedef {{
 *   theme: string, epochs: number, rates: number[], x: string, y: string, start: number[],
 *   trueWeights: number[] | null, limit: number,
 *   sampling: {seed: string, points: number, noise: string} | null,
 *   styles: import("./drawing.js").Style[],
 * }} Film
 *
 * `rates` has a place for each slot, null where a run was removed; `chosen` is a slot.
 * @typedef {{
 *   rates: (number | null)[], chosen: number, epoch: number, seed: string, start: number[],
 *   theme: string,
 * }} State
 */

/**
 * @param {Film} film
 * @returns {State}
 */
export function initial(film) {
  return {
    rates: [...film.rates],
    chosen: 0,
    epoch: 0,
    seed: film.sampling?.seed ?? "",
    start: [...film.start],
    theme: film.theme,
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

/** @param {State} state */
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
 * Read a fragment; what it does not say, or says wrongly, is as the page was made.
 * @param {string} fragment
 * @param {Film} film
 * @returns {State}
 */
export function fromFragment(fragment, film) {
  const state = initial(film);
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const rates = (given.get("lr") ?? "").split(",").slice(0, film.styles.length);
  if (rates.some(isRate)) state.rates = rates.map((text) => (isRate(text) ? Number(text) : null));
  const used = state.rates.flatMap((rate, slot) => (rate === null ? [] : [slot]));
  const chosen = Number(given.get("run")) - 1;
  state.chosen = used.includes(chosen) ? chosen : used[0];
  const epoch = given.get("epoch") ?? "";
  if (/^\d+$/.test(epoch)) state.epoch = Math.min(Number(epoch), film.epochs);
  const seed = given.get("seed") ?? "";
  if (film.sampling && isSeed(seed)) state.seed = String(BigInt(seed));
  const start = (given.get("start") ?? "").split(",");
  if (start.length === 2 && start.every(isWeight)) state.start = start.map(Number);
  const theme = given.get("theme") ?? "";
  if (THEMES.includes(theme)) state.theme = theme;
  return state;
}

/**
 * The command whose film shows this, or how to make it in Python where no command can.
 * @param {State} state
 * @param {Film} film
 */
export function commandOf({ rates, seed, start }, { epochs, sampling, trueWeights }) {
  const different = [...new Set(rates.filter((rate) => rate !== null))];
  if (!sampling || !trueWeights) {
    const moved = `dataclasses.replace(problem, start=(${start.join(", ")}))`;
    return (
      "# No command makes these data, which came from arrays. In Python, with their problem:\n" +
      `animate.train(${moved}, lrs=[${different.join(", ")}], epochs=${epochs})`
    );
  }
  // All of it, so that it makes the same even when a default has changed.
  const { points, noise } = sampling;
  const [rest, data] = [`--epochs ${epochs} --seed ${seed}`, `--points ${points} --noise ${noise}`];
  const weights = `--true ${trueWeights.join(" ")} --start ${start.join(" ")}`;
  return `python -m animate --lrs ${different.join(" ")} ${rest} ${data} ${weights}`;
}
