/**
 * Momentum, mini-batches and Adam in float32, each operation in the order of `torch.optim`.
 *
 * The weights are not those of torch to the last bit: torch adds up the gradient of a batch in
 * another order. The batches are the same, since the permutations are.
 */

import { fround, PLAIN, train } from "./descent.js";
import { mersenneTwister } from "./random.js";

/** @import {Data, Optimizer, Run} from "./descent.js" */

const [FIRST_DECAY, SECOND_DECAY, EPSILON] = [0.9, 0.999, 1e-8]; // the defaults of torch.optim.Adam
const BATCH_SEED = 0; // the default of `Hyperparameters.seed`

/**
 * Return a run of an optimizer, with a record an epoch. Plain descent is left to `train`.
 * @param {Data} data
 * @param {number} rate
 * @param {number[]} start slope and bias
 * @param {number} epochs
 * @param {Optimizer} [optimizer]
 * @returns {Run}
 */
export function trainWith(data, rate, start, epochs, optimizer = PLAIN) {
  const { momentum, batchSize, adam } = optimizer;
  const points = data.x.length;
  const size = batchSize && batchSize < points ? batchSize : points;
  if (!momentum && !adam && size === points) return train(data, rate, start, epochs);
  const [slopes, biases, losses] = [0, 0, 0].map(() => new Float32Array(epochs + 1));
  const weights = start.map(fround);
  const update = adam ? adamUpdate(rate) : momentumUpdate(rate, momentum);
  const bits = mersenneTwister(BATCH_SEED);
  for (let epoch = 0; epoch <= epochs; epoch++) {
    [slopes[epoch], biases[epoch]] = weights;
    losses[epoch] = lossInFloat32(data, weights);
    const order = size < points ? permutation(points, bits) : null;
    for (let first = 0; first < points; first += size) {
      update(weights, gradient(data, weights, order, first, Math.min(first + size, points)));
    }
  }
  return { slopes, biases, losses };
}

/**
 * Return `torch.randperm(count)` of a generator.
 * @param {number} count
 * @param {() => number} bits the generator
 */
export function permutation(count, bits) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < count - 1; i++) {
    const other = i + (bits() % (count - i));
    [order[i], order[other]] = [order[other], order[i]];
  }
  return order;
}

/**
 * Return the mean squared error over all points, which overflows where torch's does.
 * @param {Data} data
 * @param {number[]} weights
 */
function lossInFloat32({ x, y }, [slope, bias]) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const residual = fround(fround(fround(slope * x[i]) + bias) - y[i]);
    sum += fround(residual * residual);
  }
  return fround(sum) / x.length;
}

/**
 * Return the gradient of the mean squared error over a batch.
 * @param {Data} data
 * @param {number[]} weights
 * @param {Uint32Array | null} order of the points; null for that of the data
 * @param {number} first
 * @param {number} end
 */
function gradient({ x, y }, [slope, bias], order, first, end) {
  const perPoint = fround(2 / (end - first));
  let [ofSlope, ofBias] = [0, 0];
  for (let place = first; place < end; place++) {
    const i = order ? order[place] : place;
    const residual = fround(fround(fround(slope * x[i]) + bias) - y[i]);
    const part = fround(perPoint * residual);
    ofSlope += fround(part * x[i]);
    ofBias += part;
  }
  return [fround(ofSlope), fround(ofBias)];
}

/**
 * Return a function that changes weights as `torch.optim.SGD` does.
 * @param {number} rate
 * @param {number} momentum
 */
function momentumUpdate(rate, momentum) {
  const [rate32, momentum32] = [fround(rate), fround(momentum)];
  const buffers = [0, 0];
  return (/** @type {number[]} */ weights, /** @type {number[]} */ gradients) => {
    gradients.forEach((part, i) => {
      buffers[i] = fround(fround(momentum32 * buffers[i]) + part);
      weights[i] = fround(weights[i] - rate32 * buffers[i]); // rounded once, as torch does
    });
  };
}

/**
 * Return a function that changes weights as `torch.optim.Adam` does.
 * @param {number} rate
 */
function adamUpdate(rate) {
  const [means, squares] = [
    [0, 0],
    [0, 0],
  ];
  const newMean = fround(1 - FIRST_DECAY);
  const [oldSquare, newSquare] = [fround(SECOND_DECAY), fround(1 - SECOND_DECAY)];
  let step = 0;
  return (/** @type {number[]} */ weights, /** @type {number[]} */ gradients) => {
    step++;
    const stepSize = fround(rate / (1 - FIRST_DECAY ** step));
    const correction = fround(Math.sqrt(1 - SECOND_DECAY ** step));
    gradients.forEach((part, i) => {
      means[i] = fround(means[i] + fround(newMean * fround(part - means[i])));
      const square = fround(fround(newSquare * part) * part);
      squares[i] = fround(fround(oldSquare * squares[i]) + square);
      const root = fround(Math.sqrt(squares[i]));
      const scale = fround(fround(root / correction) + fround(EPSILON));
      weights[i] = fround(weights[i] - fround(fround(stepSize * means[i]) / scale));
    });
  };
}
