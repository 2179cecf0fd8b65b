/** Graded tasks: each begins with a prediction, and the page then shows what happens. */

import { analyze, diagnose, trainByHessian } from "./descent.js";
import { limitText, rateText } from "./numbers.js";
import { bracket, isBestFound, isLimitFound } from "./rates.js";

/** @import {Data} from "./descent.js" */
/** @import {Try} from "./panels.js" */
/** @import {State} from "./state.js" */

/**
 * A task. Without options it asks for a number. `right` is the number of the right option or the
 * number asked for; `explain` follows a prediction; `apply` then changes the settings, so that the
 * reader sees it. Where there is a `goal`, the reader then tries until it returns a sentence.
 * @typedef {{
 *   question: string, options?: string[], right: number, explain: string,
 *   apply: Partial<State>,
 *   goal?: (tries: Try[]) => string, searching?: (tries: Try[]) => string,
 * }} Task
 */

const WIDER = 10;
const FIRST_RATES = [0.98, 0.3, 0.8]; // relative to the limit

/**
 * Return the tasks for the page's own data and start.
 * @param {Data} data
 * @param {number[]} start
 * @param {number} epochs
 * @returns {Task[]}
 */
export function tasksFor(data, start, epochs) {
  const analysis = analyze(data);
  const { stabilityLimit: limit, bestRate } = analysis;
  const rates = FIRST_RATES.map((part) => Number((part * limit).toPrecision(2)));
  const counts = rates.map((rate) => {
    const run = trainByHessian(analysis, rate, start, epochs);
    return diagnose(rate, run, analysis).convergedAt ?? Number.POSITIVE_INFINITY;
  });
  const arrivals = rates.map(
    (rate, i) => `${rateText(rate)} ${counts[i] <= epochs ? `after ${counts[i]} epochs` : "later"}`,
  );
  const wide = analyze({ x: data.x.map((x) => x * WIDER), y: data.y });
  const ratio = limit / wide.stabilityLimit;
  const times = ratio.toPrecision(2).replace(/\.0$/, "");
  const limitNow = limitText(limit, 2 * limit);
  const plain = { scale: 1, momentum: 0, batchSize: 0, adam: false, start, epoch: epochs };
  const best = Number(bestRate.toPrecision(2));
  return [
    {
      question: "Three runs start at the same place. Which one arrives first?",
      options: rates.map((rate) => `learning rate ${rateText(rate)}`),
      right: counts.indexOf(Math.min(...counts)),
      explain: `They arrive: ${arrivals.join(", ")}. A small rate creeps; the largest jumps from wall to wall.`,
      apply: { ...plain, rates, chosen: counts.indexOf(Math.min(...counts)), chart: "loss" },
    },
    {
      question: "At which learning rate does training break?",
      right: limit,
      explain: "Now find it: try rates until one that holds and one that breaks are 3 % apart.",
      apply: { ...plain, chart: "bowl" },
      searching: (tries) => {
        const [holds, breaks] = bracket(tries);
        const parts = [
          holds ? `${rateText(holds)} holds` : "",
          Number.isFinite(breaks) ? `${rateText(breaks)} breaks` : "",
        ];
        return `So far: ${parts.filter(Boolean).join(", ") || "nothing tried"}.`;
      },
      goal: (tries) =>
        isLimitFound(tries)
          ? `Found: it breaks at ${limitNow}. There a step carries the error to the other wall, as high as before.`
          : "",
    },
    {
      question: "Where is the fastest learning rate?",
      options: [
        "below half of the limit, where no step jumps over",
        "between a half and nine tenths of the limit",
        "just below the limit: the longest steps that hold",
      ],
      right: bestRate < 0.9 * limit ? 1 : 2,
      explain: "Now find it: look for the lowest dot in the chart Rates.",
      apply: { ...plain, chart: "rates" },
      goal: (tries) =>
        isBestFound(tries, bestRate)
          ? `Found: about ${rateText(best)}. There the steepest and the flattest direction shrink alike.`
          : "",
    },
    {
      question: `All x become ${WIDER} times wider. What happens to the limit?`,
      options: [
        "it stays: the rate has nothing to do with x",
        `it falls, to a ${WIDER}th`,
        `it falls, to about 1/${times}`,
        `it rises, to ${WIDER} times as much`,
      ],
      right: 2,
      explain:
        `The limit is 2 over the largest curvature. The curvature of the slope grows with x², ${WIDER * WIDER}-fold, ` +
        `and is now the largest. So the limit falls from ${limitNow} to ${limitText(wide.stabilityLimit, 1)}, ` +
        "and the valley has turned.",
      apply: { ...plain, scale: WIDER, chart: "surface" },
    },
  ];
}
