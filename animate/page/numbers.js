/** Numbers as text, the same as animate/system/numbers.py writes them. */

const MINUS = "\u2212";

/**
 * Format a number, rounding a tie to the even digit, as Python does.
 * @param {number} value
 * @param {"toFixed" | "toExponential"} method
 * @param {number} digits
 */
function format(value, method, digits) {
  const text = value[method](digits);
  const [mantissa, exponent] = value[method](60).split("e");
  const end = mantissa.length - 60 + digits;
  const roundedDown = mantissa.slice(0, digits ? end : end - 1);
  const isTie = /^50*$/.test(mantissa.slice(end));
  if (!isTie || /[13579]$/.test(roundedDown)) return text;
  return exponent === undefined ? roundedDown : `${roundedDown}e${exponent}`;
}

/**
 * Return the text with a real minus sign, and none before zero.
 * @param {string} text
 */
function withMinus(text) {
  return Number(text) ? text.replace(/-/g, MINUS) : text.replace(/-/g, "");
}

/**
 * Return a value with four significant digits, so that it keeps its width as it changes.
 * @param {number} value
 */
export function valueText(value) {
  if (!Number.isFinite(value)) return "∞";
  const size = Math.abs(value);
  if (size >= 9999.5) return withMinus(format(value, "toExponential", 1).replace("e+", "e"));
  if (size && size < 0.00005) return withMinus(format(value, "toExponential", 0));
  const decimals = size < 0.99995 ? 4 : 3 - Math.trunc(Math.log10(size * 1.00005));
  return withMinus(format(value, "toFixed", decimals));
}

/**
 * Return a weight or a coordinate, with two decimals while it is small.
 * @param {number} value
 */
export function coordinateText(value) {
  if (!Number.isFinite(value)) return "∞";
  const size = Math.abs(value);
  if (size >= 9999.5) return withMinus(format(value, "toExponential", 0).replace("e+", "e"));
  return withMinus(format(value, "toFixed", size < 99.995 ? 2 : 0));
}

/**
 * Return the line with these weights as an equation.
 * @param {number} slope
 * @param {number} bias
 */
export function lineEquation(slope, bias) {
  if (!Number.isFinite(slope + bias)) return "no finite line";
  const sign = coordinateText(bias).startsWith(MINUS) ? MINUS : "+";
  return `y = ${coordinateText(slope)} x ${sign} ${coordinateText(Math.abs(bias))}`;
}

/**
 * Return a learning rate with at most six digits, without trailing zeros.
 * @param {number} rate
 */
export function rateText(rate) {
  return String(Number(rate.toPrecision(6)));
}

/**
 * Return the fastest rate with two digits, or with three close to the limit.
 * @param {number} rate
 * @param {number} limit
 */
export const bestRateText = (rate, limit) =>
  rateText(Number(rate.toPrecision(rate > 0.9 * limit ? 3 : 2)));

/**
 * Return the stability limit with four significant digits, or as many as show on which side of it
 * `rate` is.
 * @param {number} limit
 * @param {number} rate
 */
export function limitText(limit, rate) {
  for (let digits = 4; digits < 17; digits++) {
    const small = limit.toExponential(digits - 1).replace("e-", "e-0"); // as in Python
    const text = limit < 1e-4 ? small : limit.toPrecision(digits);
    const printed = Number(text);
    const above = rate > limit && rate > printed;
    if (rate === limit || above || (rate < limit && rate < printed)) return text;
  }
  return String(limit);
}

/**
 * Return a share as a percentage, never rounded up to 100 %.
 * @param {number} share
 */
export function shareText(share) {
  const percent = 100 * share;
  if (!Number.isFinite(percent)) return "∞ %";
  if (percent > 99 && percent < 100)
    return `${format(Math.floor(percent * 10) / 10, "toFixed", 1)} %`;
  return `${format(percent, "toFixed", percent < 10 ? 1 : 0)} %`;
}

/**
 * Return a whole number of epochs or steps with its unit.
 * @param {number} count
 * @param {string} unit
 */
export function countText(count, unit) {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/**
 * Return the value of a tick with as few digits as it needs.
 * @param {number} value
 */
export function tickText(value) {
  const text = rateText(value);
  return withMinus(text.length < 6 ? text : Number(text).toExponential().replace("e+", "e"));
}
