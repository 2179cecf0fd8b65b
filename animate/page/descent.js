/** Least squares, gradient descent in float32 as torch computes it, and the verdict on a run. */

import { CONVERGENCE_TOLERANCE, FLOAT32_FLOOR } from "./constants.js";
import { countText, limitText, shareText, valueText } from "./numbers.js";

/**
 * @typedef {{x: Float32Array, y: Float32Array}} Data
 *
 * The best weights, their loss, the eigenvalues of the Hessian [[a, b], [b, 2]] (the larger first)
 * and the unit eigenvector of the larger.
 * @typedef {{
 *   bestWeights: number[], bestLoss: number, hessian: number[], curvatures: number[],
 *   sharpest: number[], stabilityLimit: number, bestRate: number,
 * }} Analysis
 *
 * Weights and losses after each epoch, the start first.
 * @typedef {{slopes: Float32Array, biases: Float32Array, losses: Float32Array}} Run
 *
 * What differs from plain gradient descent: `momentum` is 0 without, `batchSize` 0 for all points.
 * @typedef {{momentum: number, batchSize: number, adam: boolean}} Optimizer
 *
 * `verdictEpoch` is the first epoch at which the verdict is visible in the panels; `left` holds the
 * distance to the best weights at each epoch, relative to the first.
 * @typedef {{
 *   verdict: "converged" | "converging" | "diverging", convergedAt: number | null,
 *   overflowedAt: number | null, verdictEpoch: number, left: Float64Array, sentence: string,
 * }} Diagnosis
 */

export const { fround } = Math;
const FAR_START = 10; // times the best weights: then 1 % of the start is a tenth of them
const NOISE_GROWTH_LIMIT = 10; // factor by which mini-batches may raise a loss
const TAIL_DIVISOR = 10;
/** @type {Readonly<Optimizer>} */
export const PLAIN = Object.freeze({ momentum: 0, batchSize: 0, adam: false });

/**
 * Return the loss of a line: the mean squared error over all points.
 * @param {Data} data
 * @param {number[]} weights slope and bias
 */
export function lossOf({ x, y }, [slope, bias]) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (slope * x[i] + bias - y[i]) ** 2;
  return sum / x.length;
}

/**
 * Return what `Line` in Python computes from the data.
 * @param {Data} data
 * @returns {Analysis}
 */
export function analyze({ x, y }) {
  const meanX = x.reduce((sum, value) => sum + value, 0) / x.length;
  const meanY = y.reduce((sum, value) => sum + value, 0) / x.length;
  let [sumXX, sumXY] = [0, 0];
  x.forEach((value, i) => {
    sumXX += (value - meanX) ** 2;
    sumXY += (value - meanX) * (y[i] - meanY);
  });
  const slope = sumXY / sumXX;
  const bestWeights = [slope, meanY - slope * meanX];
  const [a, b] = [2 * (sumXX / x.length + meanX * meanX), 2 * meanX];
  const large = (a + 2) / 2 + Math.hypot((a - 2) / 2, b);
  const small = (4 * sumXX) / x.length / large;
  // The eigenvector's larger component is positive, as in Python.
  const [ofSlope, ofBias] = a > 2 ? [large - 2, b] : [b, large - a];
  const sign = Math.sign(Math.abs(ofBias) >= Math.abs(ofSlope) ? ofBias : ofSlope);
  const length = sign * Math.hypot(ofSlope, ofBias);
  return {
    bestWeights,
    bestLoss: lossOf({ x, y }, bestWeights),
    hessian: [a, b],
    curvatures: [large, small],
    sharpest: [ofSlope / length, ofBias / length],
    stabilityLimit: 2 / large,
    bestRate: 2 / (large + small),
  };
}

/**
 * Return a run of full-batch gradient descent, each operation rounded to float32 as in torch.
 * @param {Data} data
 * @param {number} rate
 * @param {number[]} start slope and bias
 * @param {number} epochs
 * @returns {Run}
 */
export function train({ x, y }, rate, start, epochs) {
  const [slopes, biases, losses] = [0, 0, 0].map(() => new Float32Array(epochs + 1));
  const rate32 = fround(rate);
  const perPoint = fround(1 / x.length);
  let [slope, bias] = start.map(fround);
  for (let epoch = 0; epoch <= epochs; epoch++) {
    let [sumOfSquares, slopeGradient, biasGradient] = [0, 0, 0];
    for (let i = 0; i < x.length; i++) {
      const residual = fround(fround(fround(slope * x[i]) + bias) - y[i]);
      const gradient = fround(perPoint * fround(2 * residual));
      sumOfSquares += fround(residual * residual);
      slopeGradient += fround(gradient * x[i]);
      biasGradient += gradient;
    }
    slopes[epoch] = slope;
    biases[epoch] = bias;
    losses[epoch] = fround(sumOfSquares) / x.length; // overflows where torch's sum does
    slope = fround(slope - fround(rate32 * fround(slopeGradient)));
    bias = fround(bias - fround(rate32 * fround(biasGradient)));
  }
  return { slopes, biases, losses };
}

/**
 * Return the run of full-batch descent from the Hessian alone, in float64: the same up to rounding,
 * and fast for any number of points.
 * @param {Analysis} analysis
 * @param {number} rate
 * @param {number[]} start slope and bias
 * @param {number} epochs
 * @param {Optimizer} [optimizer] its batch size has no effect
 * @returns {Run}
 */
export function trainByHessian(analysis, rate, start, epochs, { momentum, adam } = PLAIN) {
  const [slopes, biases, losses] = [0, 0, 0].map(() => new Float32Array(epochs + 1));
  const [a, b] = analysis.hessian;
  const [bestSlope, bestBias] = analysis.bestWeights;
  let [slope, bias] = [start[0] - bestSlope, start[1] - bestBias];
  const [slopeStep, biasStep] = [0, 1].map(() =>
    adam ? adamStep(rate) : momentumStep(rate, momentum),
  );
  for (let epoch = 0; epoch <= epochs; epoch++) {
    const [ofSlope, ofBias] = [a * slope + b * bias, b * slope + 2 * bias];
    slopes[epoch] = slope + bestSlope;
    biases[epoch] = bias + bestBias;
    losses[epoch] = analysis.bestLoss + (slope * ofSlope + bias * ofBias) / 2;
    slope -= slopeStep(ofSlope);
    bias -= biasStep(ofBias);
  }
  return { slopes, biases, losses };
}

/**
 * Return a function from a gradient to the step of SGD.
 * @param {number} rate
 * @param {number} momentum
 */
function momentumStep(rate, momentum) {
  let buffer = 0;
  return (/** @type {number} */ gradient) => {
    buffer = momentum * buffer + gradient;
    return rate * buffer;
  };
}

/**
 * Return a function from a gradient to the step of Adam with its default betas and epsilon.
 * @param {number} rate
 */
function adamStep(rate) {
  let [mean, square, step] = [0, 0, 0];
  return (/** @type {number} */ gradient) => {
    step++;
    mean += (gradient - mean) * (1 - 0.9);
    square = 0.999 * square + (1 - 0.999) * gradient * gradient;
    const scale = Math.sqrt(square / (1 - 0.999 ** step)) + 1e-8;
    return (rate * mean) / (1 - 0.9 ** step) / scale;
  };
}

/**
 * Return the first epoch from which the distance stays within the tolerance, else their number.
 * @param {ArrayLike<number>} distances to the best weights at each epoch
 * @param {number[]} bestWeights
 */
export function epochsToConverge(distances, bestWeights) {
  // In float32, steps nearer to the best weights may no longer move.
  const resolution = FLOAT32_FLOOR * Math.max(1, Math.min(...bestWeights.map(Math.abs)));
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
 * Return the rate from which a run cannot converge, or null where none is known.
 * @param {Analysis} analysis
 * @param {Optimizer} optimizer
 */
export function limitOf({ stabilityLimit }, { momentum, batchSize, adam }) {
  return adam || batchSize ? null : (1 + momentum) * stabilityLimit;
}

/**
 * Return the factors by which a step multiplies the error along the steepest and the flattest
 * direction: `1 - rate * curvature`, or with momentum the modulus of the larger root of
 * `z² - (1 + momentum - rate * curvature) z + momentum`.
 * @param {Analysis} analysis
 * @param {number} rate
 * @param {number} momentum
 */
export function stepFactors({ curvatures }, rate, momentum) {
  return curvatures.map((curvature) => {
    const sum = 1 + momentum - rate * curvature;
    if (!momentum) return sum;
    const discriminant = sum * sum - 4 * momentum;
    if (discriminant < 0) return Math.sqrt(momentum);
    return (sum + (sum < 0 ? -1 : 1) * Math.sqrt(discriminant)) / 2;
  });
}

/**
 * Return the verdict on a run, by the same rules as `diagnose` in Python: from theory where the
 * limit is known, else from the distances.
 * @param {number} rate
 * @param {Run} run
 * @param {Analysis} analysis
 * @param {Optimizer} [optimizer]
 * @param {Data | null} [data] for the loss in float64 of a run without a known limit
 * @returns {Diagnosis}
 */
export function diagnose(rate, run, analysis, optimizer = PLAIN, data = null) {
  const { slopes, biases, losses } = run;
  const last = losses.length - 1;
  const [bestSlope, bestBias] = analysis.bestWeights;
  const distances = Float64Array.from(losses, (_, epoch) => {
    const distance = Math.hypot(slopes[epoch] - bestSlope, biases[epoch] - bestBias);
    return Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
  });
  const left = relativeDistances(distances);
  const isFiniteAt = (/** @type {number} */ i) =>
    Number.isFinite(losses[i] + slopes[i] + biases[i]);
  const overflow = losses.findIndex((_, i) => !isFiniteAt(i));
  const overflowedAt = overflow < 0 ? null : overflow;
  const common = { convergedAt: null, overflowedAt, verdictEpoch: last, left };
  const limit = limitOf(analysis, optimizer);
  if (limit !== null && rate >= limit && left[last] >= CONVERGENCE_TOLERANCE) {
    const rise = losses.findIndex((loss, i) => i > 0 && !(loss <= losses[i - 1]));
    const verdictEpoch = rise < 0 ? last : rise;
    const sentence = `diverging: ${rate > limit ? "past" : "at"} the limit ${limitText(limit, rate)}`;
    return { ...common, verdict: "diverging", verdictEpoch, sentence };
  }
  const converged = epochsToConverge(distances, analysis.bestWeights);
  const isNoisy = optimizer.batchSize > 0;
  const [first, end] = [0, last].map((i) =>
    data ? lossOf(data, [slopes[i], biases[i]]) : losses[i],
  );
  if (overflowedAt !== null) {
    const when = isFiniteAt(last) ? `at epoch ${overflowedAt}` : `from epoch ${overflowedAt} on`;
    const sentence = `diverging: not finite ${when}`;
    return { ...common, verdict: "diverging", verdictEpoch: overflowedAt, sentence };
  }
  const atDistance1 = analysis.bestLoss + analysis.curvatures[0] / 2;
  const bound = isNoisy ? NOISE_GROWTH_LIMIT * Math.max(first, atDistance1) : first;
  if (limit === null && end > bound) {
    const sentence = `diverging: loss ${valueText(first)} → ${valueText(end)}`;
    return { ...common, verdict: "diverging", sentence };
  }
  if (converged <= last) {
    const isFar = distances[0] > FAR_START * Math.max(1, Math.hypot(bestSlope, bestBias));
    const sentence = isFar
      ? `down to 1 % of its far start at epoch ${converged}`
      : `converged at epoch ${converged}`;
    const at = { convergedAt: converged, verdictEpoch: converged };
    return { ...common, ...at, verdict: "converged", sentence };
  }
  if (isNoisy) {
    const tail = [...left.subarray(-Math.max(1, Math.floor((last + 1) / TAIL_DIVISOR)))];
    tail.sort((one, other) => one - other);
    const [low, high] = [(tail.length - 1) >> 1, tail.length >> 1];
    const sentence = `hovers around ${shareText((tail[low] + tail[high]) / 2)} still to go`;
    return { ...common, verdict: "converging", sentence };
  }
  const sentence = `${shareText(left[last])} still to go after ${countText(last, "epoch")}`;
  return { ...common, verdict: "converging", sentence };
}
