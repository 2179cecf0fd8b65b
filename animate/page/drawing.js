/** What all panels are drawn with: SVG elements, scales, axes, and a run's marks. */

import { tickText } from "./numbers.js";

/**
 * A run's marker, and the lengths of its line's dashes in widths.
 * @typedef {[string, ...number[]]} Style
 */
/** @typedef {(value: number) => number} Scale */
/** @typedef {{left: number, right: number, top: number, bottom: number, em: number}} Box */

const SVG = "http://www.w3.org/2000/svg";
const FARTHEST = 1e5; // pixels: a browser's own arithmetic fails far beyond

/**
 * Corners of the markers, in radii; the names are matplotlib's.
 * @type {Record<string, number[][]>}
 */
const CORNERS = {
  s: [
    [-0.85, -0.85],
    [0.85, -0.85],
    [0.85, 0.85],
    [-0.85, 0.85],
  ],
  D: [
    [0, -1.2],
    [1.2, 0],
    [0, 1.2],
    [-1.2, 0],
  ],
  "^": [
    [0, -1.15],
    [1.1, 0.8],
    [-1.1, 0.8],
  ],
  v: [
    [0, 1.15],
    [1.1, -0.8],
    [-1.1, -0.8],
  ],
  "<": [
    [-1.15, 0],
    [0.8, 1.1],
    [0.8, -1.1],
  ],
  ">": [
    [1.15, 0],
    [-0.8, 1.1],
    [-0.8, -1.1],
  ],
  P: star(4, 0.52, 0.25, 1.12),
  X: star(4, 0.52, 0, 1.12),
  "*": star(5, 0.42, 0, 1.3),
};

/**
 * A star or a cross of so many arms.
 * @param {number} arms
 * @param {number} waist in outer radii
 * @param {number} turn in parts of the angle between two arms
 * @param {number} radius
 */
function star(arms, waist, turn, radius) {
  const corners = [];
  for (let i = 0; i < 2 * arms; i++) {
    const angle = Math.PI * ((i + 2 * turn) / arms - 0.5);
    const away = i % 2 ? waist * radius : radius;
    corners.push([away * Math.cos(angle), away * Math.sin(angle)]);
  }
  return corners;
}

/**
 * Add an element of SVG to `parent`.
 * @param {Element} parent
 * @param {string} name
 * @param {Record<string, string | number>} [attributes]
 * @param {string} [text]
 */
export function add(parent, name, attributes = {}, text = "") {
  const element = /** @type {SVGElement} */ (document.createElementNS(SVG, name));
  set(element, attributes);
  if (text) element.textContent = text;
  parent.append(element);
  return element;
}

/**
 * Add a path of a class, which decides its looks.
 * @param {Element} parent
 * @param {string} look
 * @param {string} d
 * @param {Record<string, string | number>} [attributes]
 */
export function draw(parent, look, d, attributes) {
  return add(parent, "path", { class: look, d, ...attributes });
}

/**
 * Write a text at a place, beginning there unless it is to end there or have its middle there.
 * @param {Element} parent
 * @param {string} look
 * @param {number} x
 * @param {number} y
 * @param {string} text
 * @param {"start" | "middle" | "end"} [anchor]
 */
export function write(parent, look, x, y, text, anchor = "start") {
  add(parent, "text", { class: look, x: pixel(x), y: pixel(y), "text-anchor": anchor }, text);
}

/**
 * @param {Element} element
 * @param {Record<string, string | number>} attributes
 */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

/**
 * Pixels with a digit behind the point, and never so far that drawing fails.
 * @param {number} value
 */
export function pixel(value) {
  return Math.round(Math.max(-FARTHEST, Math.min(FARTHEST, value)) * 10) / 10;
}

/**
 * The path of a marker.
 * @param {string} kind
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 */
export function markerPath(kind, x, y, radius) {
  const corners = CORNERS[kind];
  if (!corners)
    return `M${pixel(x - radius)} ${pixel(y)}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0z`;
  const places = corners.map(([dx, dy]) => `${pixel(x + dx * radius)} ${pixel(y + dy * radius)}`);
  return `M${places.join("L")}z`;
}

/**
 * The scale from `from` to `to`, in pixels.
 * @param {number[]} from
 * @param {number[]} to
 * @returns {Scale}
 */
export function linear([low, high], [first, last]) {
  const pace = (last - first) / (high - low);
  return (value) => first + (value - low) * pace;
}

/**
 * Round values inside the bounds, at most so many and one.
 * @param {number[]} bounds
 * @param {number} most
 */
export function ticks([low, high], most) {
  const rough = (high - low) / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((part) => part * power >= rough * 0.999) ?? 10) * power;
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
    found.push(i * step);
  return found;
}

/**
 * A panel's axes: what stands still in them, and, clipped to them or not, what moves.
 */
export class Frame {
  /** @param {string} id */
  constructor(id) {
    const svg = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (document.getElementById(id)));
    const inside = `inside-${id}`;
    this.svg = svg;
    this.clip = add(add(add(svg, "defs"), "clipPath", { id: inside }), "rect");
    this.still = add(svg, "g");
    this.moving = add(svg, "g", { "clip-path": `url(#${inside})` });
    this.heads = add(svg, "g");
    /** @type {Box} */
    this.box = { left: 0, right: 1, top: 0, bottom: 1, em: 1 };
    /** @type {Scale} */
    this.across = (value) => value;
    /** @type {Scale} */
    this.up = this.across;
  }

  /** Take the element's present size, and empty what stands still. */
  fit() {
    const { width, height } = this.svg.getBoundingClientRect();
    const em = Number.parseFloat(getComputedStyle(this.svg).fontSize);
    set(this.svg, { viewBox: `0 0 ${width} ${height}` });
    const [left, top] = [3.6 * em, 0.7 * em];
    const right = Math.max(width - 0.7 * em, left + 1);
    this.box = { left, right, top, bottom: Math.max(height - 1.7 * em, top + 1), em };
    set(this.clip, { x: left, y: top, width: right - left, height: this.box.bottom - top });
    this.still.replaceChildren();
    return this.box;
  }

  /**
   * Draw ticks, with a grid line at each height.
   * @param {[number, string][]} across place in pixels, and text
   * @param {[number, string][]} up
   */
  axes(across, up) {
    const { left, right, top, bottom, em } = this.box;
    for (const [y, text] of up) {
      draw(this.still, "grid", `M${left} ${pixel(y)}H${right}`);
      write(this.still, "", left - 0.4 * em, y + 0.35 * em, text, "end");
    }
    for (const [x, text] of across) {
      write(this.still, "", x, bottom + 1.2 * em, text, "middle");
    }
    draw(this.still, "spine", `M${left} ${top}V${bottom}H${right}`);
  }

  /**
   * Set linear scales, and draw their axes.
   * @param {number[]} xs bounds
   * @param {number[]} ys bounds
   */
  linearAxes(xs, ys) {
    const { left, right, top, bottom, em } = this.box;
    this.across = linear(xs, [left, right]);
    this.up = linear(ys, [bottom, top]);
    this.axes(
      ticks(xs, (right - left) / em / 4).map((value) => [this.across(value), tickText(value)]),
      ticks(ys, (bottom - top) / em / 2.4).map((value) => [this.up(value), tickText(value)]),
    );
  }

  /**
   * The path through all places that are finite; after one that is not, it starts anew.
   * @param {ArrayLike<number>} x
   * @param {ArrayLike<number>} y
   * @param {number} count
   * @param {boolean} [dots] whether each place is a dot of its own, and not joined
   */
  trace(x, y, count, dots = false) {
    let path = "";
    let pen = "M";
    for (let i = 0; i < count; i++) {
      const [left, top] = [this.across(x[i]), this.up(y[i])];
      if (Number.isFinite(left + top)) {
        path += `${pen}${pixel(left)} ${pixel(top)}`;
        if (dots) path += "h0";
        else pen = "L";
      } else pen = "M";
    }
    return path;
  }

  /**
   * Where a head at this place is shown, and by which marker: on the edge, a triangle that points.
   * @param {number} x
   * @param {number} y
   * @param {string} marker
   * @returns {[string, number, number]}
   */
  atEdge(x, y, marker) {
    const { left, right, top, bottom } = this.box;
    let shown = marker;
    if (x < left - 0.5) shown = "<";
    if (x > right + 0.5) shown = ">";
    if (y < top - 0.5) shown = "^";
    if (y > bottom + 0.5) shown = "v";
    return [shown, Math.min(right, Math.max(left, x)), Math.min(bottom, Math.max(top, y))];
  }
}

/**
 * The dashes of a line so wide.
 * @param {Style} style
 * @param {number} width
 */
export function dashes([, ...parts], width) {
  return parts.map((part) => pixel(part * width)).join(" ") || "none";
}
