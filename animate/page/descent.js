/** What the data decide, gradient descent as torch computes it, and the verdict on a run. */

import { CONVERGENCE_TOLERANCE, FLOAT32_FLOOR } from "./constants.js";
import { countText, limitText, shareText } from "./numbers.js";

/**
 * @typedef {{x: Float32Array, y: Float32Array}} Data
 *
 * What follows from the data: the best weights and their loss, the Hessian [[a, b], [b, 2]] by its
 * eigenvalues (the larger first) and the unit eigenvector of the larger.
 * @typedef {{
 *   best: number[], floor: number, curvatures: number[], sharpest: number[],
 *   limit: number, bestRate: number,
 * }} Facts
 *
 * Weights and losses after each epoch, the start first.
 * @typedef {{slopes: Float32Array, biases: Float32Array, losses: Float32Array}} Run
 *
 * `earnedAt` is the first epoch at which a watcher can tell the verdict; `left` is the distance to
 * the best weights at each epoch, as a share of the first.
 * @typedef {{
 *   verdict: "converged" | "converging" | "diverging", convergedAt: number | null,
 *   overflowedAt: number | null, earnedAt: number, left: Float64Array, sentence: string,
 * }} Diagnosis
 */

const { fround } = Math;

/**
 * The loss of a line: the mean squared error over all points.
 * @param {Data} data
 * @param {number[]} weights slope and bias
 */
export function lossOf({ x, y }, [slope, bias]) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (slope * x[i] + bias - y[i]) ** 2;
  return sum / x.length;
}

/**
 * @param {Data} data
 * @returns {Facts}
 */
export function factsOf({ x, y }) {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const height = y.reduce((sum, value) => sum + value, 0) / x.length;
  let [spread, together] = [0, 0];
  x.forEach((value, i) => {
    spread += (value - mean) ** 2;
    together += (value - mean) * (y[i] - height);
  });
  const slope = together / spread;
  const best = [slope, height - slope * mean];
  const [a, b] = [2 * (spread / x.length + mean * mean), 2 * mean];
  const large = (a + 2) / 2 + Math.hypot((a - 2) / 2, b);
  const small = (4 * spread) / x.length / large;
  const [across, up] = a > 2 ? [large - 2, b] : [b, large - a];
  const length =
    Math.hypot(across, up) * (Math.abs(up) >= Math.abs(across) ? Math.sign(up) : Math.sign(across));
  return {
    best,
    floor: lossOf({ x, y }, best),
    curvatures: [large, small],
    sharpest: [across / length, up / length],
    limit: 2 / large,
    bestRate: 2 / (large + small),
  };
}

/**
 * Train by full-batch gradient descent, each step in float32 as torch takes it.
 * @param {Data} data
 * @param {number} rate
 * @param {number[]} start slope and bias
 * @param {number} epochs
 * @returns {Run}
 */
export function train({ x, y }, rate, start, epochs) {
  const [slopes, biases, losses] = [0, 0, 0].map(() => new Float32Array(epochs + 1));
  const step = fround(rate);
  const share = fround(1 / x.length);
  let [slope, bias] = start.map(fround);
  for (let epoch = 0; epoch <= epochs; epoch++) {
    let [loss, across, up] = [0, 0, 0];
    for (let i = 0; i < x.length; i++) {
      const residual = fround(fround(fround(slope * x[i]) + bias) - y[i]);
      const pull = fround(share * fround(2 * residual));
      loss += fround(residual * residual);
      across += fround(pull * x[i]);
      up += pull;
    }
    slopes[epoch] = slope;
    biases[epoch] = bias;
    losses[epoch] = fround(loss) / x.length; // the sum overflows before the mean would
    slope = fround(slope - fround(step * fround(across)));
    bias = fround(bias - fround(step * fround(up)));
  }
  return { slopes, biases, losses };
}

/**
 * Return the first epoch from which the distance stays within the tolerance, or their number.
 * @param {ArrayLike<number>} distances to the best weights at each epoch
 * @param {number[]} best
 */
export function epochsToConverge(distances, best) {
  // In float32, steps nearer to the best weights may no longer move.
  const resolution = FLOAT32_FLOOR * Math.max(1, Math.min(...best.map(Math.abs)));
  const near = Math.max(CONVERGENCE_TOLERANCE * distances[0], resolution);
  let epoch = distances.length;
  while (epoch > 0 && distances[epoch - 1] <= near) epoch--;
  return epoch;
}

/**
 * Return the distances relative to the first; 0 where that is 0.
 * @param {ArrayLike<number>} distances
 */
export function relativeDistances(distances) {
  const first = distances[0];
  return Float64Array.from(distances, (distance) => (first > 0 ? distance / first : 0));
}

/**
 * @param {number} rate
 * @param {Run} run
 * @param {Facts} facts
 * @returns {Diagnosis}
 */
export function diagnose(rate, { slopes, biases, losses }, facts) {
  const last = losses.length - 1;
  const distances = Float64Array.from(losses, (_, epoch) => {
    const distance = Math.hypot(slopes[epoch] - facts.best[0], biases[epoch] - facts.best[1]);
    return Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
  });
  const left = relativeDistances(distances);
  const converged = epochsToConverge(distances, facts.best);
  const lost = losses.findIndex((loss, i) => !Number.isFinite(loss + slopes[i] + biases[i]));
  const overflowedAt = lost < 0 ? null : lost;
  const common = { convergedAt: null, overflowedAt, earnedAt: last, left };
  if (rate >= facts.limit) {
    const rise = losses.findIndex((loss, i) => i > 0 && !(loss <= losses[i - 1]));
    return {
      ...common,
      verdict: "diverging",
      earnedAt: rise < 0 ? last : rise,
      sentence: `diverging: ${rate > facts.limit ? "past" : "at"} the limit ${limitText(facts.limit, rate)}`,
    };
  }
  if (converged <= last) {
    const sentence = `converged at epoch ${converged}`;
    return {
      ...common,
      verdict: "converged",
      convergedAt: converged,
      earnedAt: converged,
      sentence,
    };
  }
  const sentence = `${shareText(left[last])} of the way left after ${countText(last, "epoch")}`;
  return { ...common, verdict: "converging", sentence };
}
