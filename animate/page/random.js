/** Sampled data: the same random numbers as torch draws from a seeded generator. */

import { GAUSSIAN_STD } from "./constants.js";

const STATE_WORDS = 624;

/**
 * Return a function that returns the next 32 bits of a Mersenne Twister (MT19937).
 * @param {number} seed the lower 32 bits of the seed, all that torch uses
 */
export function mersenneTwister(seed) {
  const words = new Uint32Array(STATE_WORDS);
  words[0] = seed;
  for (let i = 1; i < STATE_WORDS; i++) {
    const last = words[i - 1] ^ (words[i - 1] >>> 30);
    words[i] = Math.imul(1812433253, last) + i;
  }
  let next = STATE_WORDS;
  return () => {
    if (next === STATE_WORDS) {
      for (let i = 0; i < STATE_WORDS; i++) {
        const bits = (words[i] & 0x80000000) | (words[(i + 1) % STATE_WORDS] & 0x7fffffff);
        words[i] = words[(i + 397) % STATE_WORDS] ^ (bits >>> 1) ^ (bits & 1 ? 0x9908b0df : 0);
      }
      next = 0;
    }
    let bits = words[next++];
    bits ^= bits >>> 11;
    bits ^= (bits << 7) & 0x9d2c5680;
    bits ^= (bits << 15) & 0xefc60000;
    return (bits ^ (bits >>> 18)) >>> 0;
  };
}

/**
 * Return data drawn as by `Line.sample`: x, then noise.
 * @param {string} seed a whole number, up to 2^64 - 1
 * @param {number} points
 * @param {string} noise "uniform", "gaussian" or "none"
 * @param {number[]} trueWeights slope and bias
 */
export function sample(seed, points, noise, trueWeights) {
  const bits = mersenneTwister(Number(BigInt(seed) & 0xffffffffn));
  const uniform = () => (bits() & 0xffffff) / 2 ** 24;
  const [slope, bias] = trueWeights.map(Math.fround);
  const x = Float32Array.from({ length: points }, () => 2 * uniform() - 1);
  const y = x.map((value) => Math.fround(value * slope) + bias);
  if (noise === "uniform") {
    for (let i = 0; i < points; i++) y[i] += uniform();
  } else if (noise === "gaussian") {
    const deviates = normal(points, bits, uniform);
    for (let i = 0; i < points; i++) y[i] += Math.fround(Math.fround(GAUSSIAN_STD) * deviates[i]);
  }
  return { x, y };
}

/**
 * Return standard normal deviates by the Box-Muller transform, in torch's order: one for fewer than
 * 16 values, one for more.
 * @param {number} count
 * @param {() => number} bits
 * @param {() => number} uniform
 */
function normal(count, bits, uniform) {
  const deviates = new Float32Array(count);
  if (count < 16) {
    const uniform53 = () => {
      const high = bits() & 0x1fffff; // 21 and 32 bits: the 53 of a double
      return (high * 2 ** 32 + bits()) / 2 ** 53;
    };
    for (let i = 0; i < count; i += 2) {
      const angle = 2 * Math.PI * uniform53();
      const radius = Math.sqrt(-2 * Math.log1p(-uniform53()));
      deviates[i] = radius * Math.cos(angle);
      if (i + 1 < count) deviates[i + 1] = radius * Math.sin(angle);
    }
    return deviates;
  }
  /** @param {number} first */
  const transform16 = (first) => {
    for (let i = first; i < first + 8; i++) {
      const radius = Math.sqrt(-2 * Math.log(1 - deviates[i]));
      const angle = 2 * Math.PI * deviates[i + 8];
      deviates[i] = radius * Math.cos(angle);
      deviates[i + 8] = radius * Math.sin(angle);
    }
  };
  for (let i = 0; i < count; i++) deviates[i] = uniform();
  for (let first = 0; first + 16 <= count; first += 16) transform16(first);
  if (count % 16) {
    for (let i = count - 16; i < count; i++) deviates[i] = uniform(); // torch draws the last 16 again
    transform16(count - 16);
  }
  return deviates;
}
