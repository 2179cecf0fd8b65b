/** Least squares, gradient descent in float32 as torch computes it, and the verdict on a run. */

import { CONVERGENCE_TOLERANCE, FLOAT32_FLOOR } from "./constants.js";
import { countText, limitText, shareText } from "./numbers.js";

/**
 * @typedef {{x: Float32Array, y: Float32Array}} Data
 *
 * The best weights, their loss, the eigenvalues of the Hessian [[a, b], [b, 2]] (the larger first)
 * and the unit eigenvector of the larger.
 * @typedef {{
 *   bestWeights: number[], bestLoss: number, curvatures: number[], sharpest: number[],
 *   stabilityLimit: number, bestRate: number,
 * }} Analysis
 *
 * Weights and losses after each epoch, the start first.
 * @typedef {{slopes: Float32Array, biases: Float32Array, losses: Float32Array}} Run
 *
 * `verdictEpoch` is the first epoch at which the verdict is visible in the panels; `left` holds the
 * distance to the best weights at each epoch, relative to the first.
 * @typedef {{
 *   verdict: "converged" | "converging" | "diverging", convergedAt: number | null,
 *   overflowedAt: number | null, verdictEpoch: number, left: Float64Array, sentence: string,
 * }} Diagnosis
 */

const { fround } = Math;

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
 * Return the verdict on a run: from theory past the stability limit, else from the distances.
 * @param {number} rate
 * @param {Run} run
 * @param {Analysis} analysis
 * @returns {Diagnosis}
 */
export function diagnose(rate, { slopes, biases, losses }, analysis) {
  const last = losses.length - 1;
  const [bestSlope, bestBias] = analysis.bestWeights;
  const distances = Float64Array.from(losses, (_, epoch) => {
    const distance = Math.hypot(slopes[epoch] - bestSlope, biases[epoch] - bestBias);
    return Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
  });
  const left = relativeDistances(distances);
  const converged = epochsToConverge(distances, analysis.bestWeights);
  const overflow = losses.findIndex((loss, i) => !Number.isFinite(loss + slopes[i] + biases[i]));
  const overflowedAt = overflow < 0 ? null : overflow;
  const common = { convergedAt: null, overflowedAt, verdictEpoch: last, left };
  if (rate >= analysis.stabilityLimit) {
    const rise = losses.findIndex((loss, i) => i > 0 && !(loss <= losses[i - 1]));
    return {
      ...common,
      verdict: "diverging",
      verdictEpoch: rise < 0 ? last : rise,
      sentence: `diverging: ${rate > analysis.stabilityLimit ? "past" : "at"} the limit ${limitText(analysis.stabilityLimit, rate)}`,
    };
  }
  if (converged <= last) {
    const sentence = `converged at epoch ${converged}`;
    return {
      ...common,
      verdict: "converged",
      convergedAt: converged,
      verdictEpoch: converged,
      sentence,
    };
  }
  const sentence = `${shareText(left[last])} still to go after ${countText(last, "epoch")}`;
  return { ...common, verdict: "converging", sentence };
}
