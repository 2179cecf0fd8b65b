/** How numbers are written: as in the film, so that both say the same. */

const MINUS = "\u2212";

/**
 * Call a number's own formatter, but round a tie to the even digit, as Python does.
 * @param {number} value
 * @param {"toFixed" | "toExponential"} method
 * @param {number} digits
 */
function rounded(value, method, digits) {
  const text = value[method](digits);
  const [mantissa, exponent] = value[method](60).split("e");
  const kept = mantissa.length - 60 + digits;
  const down = mantissa.slice(0, digits ? kept : kept - 1);
  if (!/^50*$/.test(mantissa.slice(kept)) || /[13579]$/.test(down)) return text;
  return exponent === undefined ? down : `${down}e${exponent}`;
}

/** @param {string} text */
function minus(text) {
  return Number(text) ? text.replace(/-/g, MINUS) : text.replace(/-/g, "");
}

/**
 * Four significant digits, which keep their width as the value changes.
 * @param {number} value
 */
export function valueText(value) {
  if (!Number.isFinite(value)) return "∞";
  const size = Math.abs(value);
  if (size >= 9999.5) return minus(rounded(value, "toExponential", 1).replace("e+", "e"));
  if (size && size < 0.00005) return minus(rounded(value, "toExponential", 0));
  const decimals = size < 0.99995 ? 4 : 3 - Math.trunc(Math.log10(size * 1.00005));
  return minus(rounded(value, "toFixed", decimals));
}

/**
 * A weight or a coordinate, with two decimals while it is small.
 * @param {number} value
 */
export function coordinateText(value) {
  if (!Number.isFinite(value)) return "∞";
  const size = Math.abs(value);
  if (size >= 9999.5) return minus(rounded(value, "toExponential", 0).replace("e+", "e"));
  return minus(rounded(value, "toFixed", size < 99.995 ? 2 : 0));
}

/**
 * @param {number} slope
 * @param {number} bias
 */
export function lineEquation(slope, bias) {
  if (!Number.isFinite(slope + bias)) return "no finite line";
  const sign = coordinateText(bias).startsWith(MINUS) ? MINUS : "+";
  return `y = ${coordinateText(slope)} x ${sign} ${coordinateText(Math.abs(bias))}`;
}

/**
 * A learning rate with at most six digits, and without zeros at its end.
 * @param {number} rate
 */
export function rateText(rate) {
  return String(Number(rate.toPrecision(6)));
}

/**
 * The stability limit with four significant digits, or as many as keep `rate` on its side of it.
 * @param {number} limit
 * @param {number} rate
 */
export function limitText(limit, rate) {
  for (let digits = 4; digits < 17; digits++) {
    const small = limit.toExponential(digits - 1).replace("e-", "e-0"); // as Python writes it
    const text = limit < 1e-4 ? small : limit.toPrecision(digits);
    const printed = Number(text);
    const above = rate > limit && rate > printed;
    if (rate === limit || above || (rate < limit && rate < printed)) return text;
  }
  return String(limit);
}

/**
 * A percentage that does not claim more than is true.
 * @param {number} share
 */
export function shareText(share) {
  const percent = 100 * share;
  if (!Number.isFinite(percent)) return "∞ %";
  if (percent > 99 && percent < 100)
    return `${rounded(Math.floor(percent * 10) / 10, "toFixed", 1)} %`;
  return `${rounded(percent, "toFixed", percent < 10 ? 1 : 0)} %`;
}

/**
 * @param {number} count
 * @param {string} unit
 */
export function countText(count, unit) {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/**
 * A tick's value, with no more digits than it needs.
 * @param {number} value
 */
export function tickText(value) {
  const text = rateText(value);
  return minus(text.length < 6 ? text : Number(text).toExponential().replace("e+", "e"));
}
