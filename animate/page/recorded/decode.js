/** Numbers and images from the text that recorded/encoding.py writes. */

const NOT_FINITE = 65535;
const BEYOND = 4; // heights of the axes

/**
 * Return the bytes of base64 text.
 * @param {string} text
 */
function bytesOf(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/**
 * Return 32-bit numbers.
 * @param {string} text
 */
export function floatsOf(text) {
  const view = new DataView(bytesOf(text).buffer);
  return Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/**
 * Return numbers that are steps of the height of the axes from `low` to `high`.
 * @param {string} text
 * @param {number} low
 * @param {number} high
 */
export function stepsOf(text, low, high) {
  const view = new DataView(bytesOf(text).buffer);
  const step = ((high - low) * (1 + 2 * BEYOND)) / (NOT_FINITE - 1);
  return Float32Array.from({ length: view.byteLength / 2 }, (_, i) => {
    const whole = view.getUint16(2 * i, true);
    return whole === NOT_FINITE ? Number.NaN : low - BEYOND * (high - low) + whole * step;
  });
}

/**
 * Return images of class indices.
 * @param {string} text
 * @param {number} size the number of pixels of each
 * @param {number} classes
 */
export function imagesOf(text, size, classes) {
  const bytes = bytesOf(text);
  let at = 0;
  const next = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const images = [];
  let image = new Uint8Array(size);
  while (at < bytes.length) {
    image = image.slice();
    let pixel = 0;
    for (let stretches = next(); stretches > 0; stretches--) {
      pixel += next();
      const both = next();
      const end = pixel + Math.floor(both / classes);
      image.fill(both % classes, pixel, end);
      pixel = end;
    }
    images.push(image);
  }
  return images;
}

/**
 * Return how many of the ascending `times` are at or before `now`.
 * @param {ArrayLike<number>} times
 * @param {number} now
 */
export function countUntil(times, now) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= now) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Return a number of epochs or steps, with two decimals unless it is whole.
 * @param {number} value
 */
export function momentNumber(value) {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
