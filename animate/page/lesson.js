/** What follows from the reader's settings: the data, their analysis, and the trained runs. */

import { analyze, diagnose, limitOf, trainByHessian } from "./descent.js";
import { coordinateText } from "./numbers.js";
import { trainWith } from "./optimizers.js";
import { sample } from "./random.js";

/** @import {Analysis, Data, Optimizer} from "./descent.js" */
/** @import {Entry} from "./panels.js" */
/** @import {Config, State} from "./state.js" */

/**
 * @typedef {{
 *   data: Data, analysis: Analysis,
 *   trueWeights: number[] | null, optimizer: Optimizer,
 *   isPlain: boolean, limit: number | null, setting: string, entries: Entry[],
 *   chosen: Entry,
 * }} Lesson
 */

const MOST_WORK = 5e5; // points times epochs of a run that is trained at each move of the slider
const MOST_KEPT_RUNS = 32;

/**
 * Return the float32 numbers of a base64 text.
 * @param {string} text
 */
function decodeFloats(text) {
  return new Float32Array(Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0)).buffer);
}

/**
 * Return a function from the reader's settings to the lesson. It keeps the data and the runs of its
 * last call, and trains only what changed. With `isPreview`, long runs are computed from the Hessian:
 * the same up to rounding.
 * @param {Config} config
 * @returns {(state: State, isPreview?: boolean) => Lesson}
 */
export function lessonMaker(config) {
  const original = { x: decodeFloats(config.x), y: decodeFloats(config.y) };
  const { sampling, epochs } = config;
  let dataKey = "";
  let data = original;
  let analysis = analyze(original);
  /** @type {Map<string, Entry>} */
  const kept = new Map();

  /** @param {State} state */
  const useData = ({ seed, scale }) => {
    const isOriginal = !sampling || seed === sampling.seed;
    const sampled = isOriginal
      ? original
      : sample(seed, sampling.points, sampling.noise, config.trueWeights ?? []);
    data = scale === 1 ? sampled : { x: sampled.x.map((x) => x * scale), y: sampled.y };
    analysis = analyze(data);
    // Exact to the last bit, for a run at the limit.
    if (isOriginal && scale === 1) analysis.stabilityLimit = config.stabilityLimit;
  };

  return (state, isPreview = false) => {
    const { momentum, batchSize, adam, scale, start } = state;
    const key = `${state.seed} ${scale}`;
    if (key !== dataKey) useData(state);
    dataKey = key;
    const isFull = batchSize >= data.x.length;
    const optimizer = { momentum, batchSize: isFull ? 0 : batchSize, adam };
    const isFast = isPreview && !optimizer.batchSize && data.x.length * epochs > MOST_WORK;
    /**
     * @param {number} rate
     * @param {number} slot
     */
    const entryOf = (rate, slot) => {
      const runKey = [key, start, momentum, batchSize, adam, rate, slot].join(" ");
      let entry = kept.get(runKey);
      if (!entry) {
        const run = isFast
          ? trainByHessian(analysis, rate, start, epochs, optimizer)
          : trainWith(data, rate, start, epochs, optimizer);
        entry = { rate, slot, run, diagnosis: diagnose(rate, run, analysis, optimizer, data) };
        if (kept.size >= MOST_KEPT_RUNS) kept.clear();
        if (!isFast) kept.set(runKey, entry);
      }
      return entry;
    };
    const entries = state.rates.flatMap((rate, slot) =>
      rate === null ? [] : [entryOf(rate, slot)],
    );
    const { trueWeights } = config;
    return {
      data,
      analysis,
      trueWeights: trueWeights && [trueWeights[0] / scale, trueWeights[1]],
      optimizer,
      isPlain: !optimizer.momentum && !optimizer.batchSize && !adam,
      limit: limitOf(analysis, optimizer),
      setting: settingText(state, config),
      entries,
      chosen: entries.find(({ slot }) => slot === state.chosen) ?? entries[0],
    };
  };
}

/**
 * Return what differs from the page's own data and optimizer; "" if nothing does.
 * @param {State} state
 * @param {Config} config
 */
function settingText({ seed, scale, start, momentum, batchSize, adam }, config) {
  const isSameStart = start.every((weight, i) => weight === config.start[i]);
  return [
    scale === 1 ? "" : `x × ${scale}`,
    adam ? "Adam" : "",
    momentum ? `momentum ${momentum}` : "",
    batchSize ? `batches of ${batchSize}` : "",
    config.sampling && seed !== config.sampling.seed ? `seed ${seed}` : "",
    isSameStart ? "" : `start ${start.map(coordinateText).join(", ")}`,
  ]
    .filter(Boolean)
    .join(", ");
}
