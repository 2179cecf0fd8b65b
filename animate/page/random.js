/** The numbers that torch draws from a seeded generator, and data made of them. */

import { GAUSSIAN_STD } from "./constants.js";

const LENGTH = 624;

/**
 * Return a function that gives the next 32 bits of a Mersenne Twister (MT19937).
 * @param {number} seed the lower 32 bits of the seed: torch uses no more
 */
export function twister(seed) {
  const words = new Uint32Array(LENGTH);
  words[0] = seed;
  for (let i = 1; i < LENGTH; i++) {
    const last = words[i - 1] ^ (words[i - 1] >>> 30);
    words[i] = Math.imul(1812433253, last) + i;
  }
  let next = LENGTH;
  return () => {
    if (next === LENGTH) {
      for (let i = 0; i < LENGTH; i++) {
        const bits = (words[i] & 0x80000000) | (words[(i + 1) % LENGTH] & 0x7fffffff);
        words[i] = words[(i + 397) % LENGTH] ^ (bits >>> 1) ^ (bits & 1 ? 0x9908b0df : 0);
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
 * Draw data as `Problem.sample` does: x, then noise.
 * @param {string} seed a whole number, up to 2^64 - 1
 * @param {number} points
 * @param {string} noise "uniform", "gaussian" or "none"
 * @param {number[]} trueWeights slope and bias
 */
export function sample(seed, points, noise, trueWeights) {
  const bits = twister(Number(BigInt(seed) & 0xffffffffn));
  const uniform = () => (bits() & 0xffffff) / 2 ** 24;
  const [slope, bias] = trueWeights.map(Math.fround);
  const x = Float32Array.from({ length: points }, () => 2 * uniform() - 1);
  const y = x.map((value) => Math.fround(value * slope) + bias);
  if (noise === "uniform") {
    for (let i = 0; i < points; i++) y[i] += uniform();
  } else if (noise === "gaussian") {
    const deviates = normal(points, bits, uniform);
    for (let i = 0; i < points; i++)
      y[i] += Math.fround(Math.fround(GAUSSIAN_STD) * deviates[i]);
  }
  return { x, y };
}

/**
 * Standard normal deviates, by Box and Muller's method in the two orders that torch has.
 * @param {number} count
 * @param {() => number} bits
 * @param {() => number} uniform
 */
function normal(count, bits, uniform) {
  const deviates = new Float32Array(count);
  if (count < 16) {
    const precise = () => {
      const high = bits() & 0x1fffff; // 21 and 32 bits: the 53 of a double
      return (high * 2 ** 32 + bits()) / 2 ** 53;
    };
    for (let i = 0; i < count; i += 2) {
      const turn = 2 * Math.PI * precise();
      const radius = Math.sqrt(-2 * Math.log1p(-precise()));
      deviates[i] = radius * Math.cos(turn);
      if (i + 1 < count) deviates[i + 1] = radius * Math.sin(turn);
    }
    return deviates;
  }
  /** @param {number} first */
  const turn16 = (first) => {
    for (let i = first; i < first + 8; i++) {
      const radius = Math.sqrt(-2 * Math.log(1 - deviates[i]));
      const turn = 2 * Math.PI * deviates[i + 8];
      deviates[i] = radius * Math.cos(turn);
      deviates[i + 8] = radius * Math.sin(turn);
    }
  };
  for (let i = 0; i < count; i++) deviates[i] = uniform();
  for (let first = 0; first + 16 <= count; first += 16) turn16(first);
  if (count % 16) {
    for (let i = count - 16; i < count; i++) deviates[i] = uniform(); // the last 16, drawn anew
    turn16(count - 16);
  }
  return deviates;
}
