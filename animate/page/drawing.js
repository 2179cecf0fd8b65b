/** What all panels share: SVG elements, scales, axes and markers. */

import { tickText } from "./numbers.js";

/**
 * A run's marker, and the lengths of the dashes of its line relative to the line's width.
 * @typedef {[string, ...number[]]} Style
 */
/** @typedef {(value: number) => number} Scale */
/** @typedef {{left: number, right: number, top: number, bottom: number, em: number}} Box */

const SVG = "http://www.w3.org/2000/svg";
const LARGEST_PIXEL = 1e5; // browsers draw larger coordinates wrongly

/**
 * Corners of the markers relative to the radius, by matplotlib's names.
 * @type {Record<string, number[][]>}
 */
const CORNERS = {
  s: pairs("-.85 -.85 .85 -.85 .85 .85 -.85 .85"),
  D: pairs("0 -1.2 1.2 0 0 1.2 -1.2 0"),
  "^": pairs("0 -1.15 1.1 .8 -1.1 .8"),
  v: pairs("0 1.15 1.1 -.8 -1.1 -.8"),
  "<": pairs("-1.15 0 .8 1.1 .8 -1.1"),
  ">": pairs("1.15 0 -.8 1.1 -.8 -1.1"),
  P: star(4, 0.52, 0.25, 1.12),
  X: star(4, 0.52, 0, 1.12),
  "*": star(5, 0.42, 0, 1.3),
};

/**
 * Return the numbers of a text in pairs.
 * @param {string} text
 */
function pairs(text) {
  const numbers = text.split(" ").map(Number);
  return Array.from({ length: numbers.length / 2 }, (_, i) => numbers.slice(2 * i, 2 * i + 2));
}

/**
 * Return the corners of a star or a cross.
 * @param {number} arms
 * @param {number} waist inner radius relative to the outer
 * @param {number} turn relative to the angle between two arms
 * @param {number} radius
 */
function star(arms, waist, turn, radius) {
  const corners = [];
  for (let i = 0; i < 2 * arms; i++) {
    const angle = Math.PI * ((i + 2 * turn) / arms - 0.5);
    const distance = i % 2 ? waist * radius : radius;
    corners.push([distance * Math.cos(angle), distance * Math.sin(angle)]);
  }
  return corners;
}

/**
 * Add an SVG element to `parent` and return it.
 * @param {Element} parent
 * @param {string} name
 * @param {Record<string, string | number>} [attributes]
 * @param {string} [text]
 */
export function addElement(parent, name, attributes = {}, text = "") {
  const element = /** @type {SVGElement} */ (document.createElementNS(SVG, name));
  setAttributes(element, attributes);
  if (text) element.textContent = text;
  parent.append(element);
  return element;
}

/**
 * Add a path of a CSS class to `parent` and return it.
 * @param {Element} parent
 * @param {string} className
 * @param {string} d
 * @param {Record<string, string | number>} [attributes]
 */
export function addPath(parent, className, d, attributes) {
  return addElement(parent, "path", { class: className, d, ...attributes });
}

/**
 * Add a text of a CSS class to `parent`.
 * @param {Element} parent
 * @param {string} className
 * @param {number} x
 * @param {number} y
 * @param {string} text
 * @param {"start" | "middle" | "end"} [anchor]
 */
export function addText(parent, className, x, y, text, anchor = "start") {
  addElement(
    parent,
    "text",
    { class: className, x: roundPixels(x), y: roundPixels(y), "text-anchor": anchor },
    text,
  );
}

/**
 * Set several attributes of an element.
 * @param {Element} element
 * @param {Record<string, string | number>} attributes
 */
export function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

/**
 * Return a coordinate with one decimal, limited to what browsers can draw.
 * @param {number} value
 */
export function roundPixels(value) {
  return Math.round(Math.max(-LARGEST_PIXEL, Math.min(LARGEST_PIXEL, value)) * 10) / 10;
}

/**
 * Return the path of a marker.
 * @param {string} kind
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 */
export function markerPath(kind, x, y, radius) {
  const corners = CORNERS[kind];
  if (!corners)
    return `M${roundPixels(x - radius)} ${roundPixels(y)}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0z`;
  const points = corners.map(
    ([dx, dy]) => `${roundPixels(x + dx * radius)} ${roundPixels(y + dy * radius)}`,
  );
  return `M${points.join("L")}z`;
}

/**
 * Return the linear scale from values to pixels.
 * @param {number[]} values two values
 * @param {number[]} pixels the pixels of each
 * @returns {Scale}
 */
export function linearScale([low, high], [first, last]) {
  const slope = (last - first) / (high - low);
  return (value) => first + (value - low) * slope;
}

/**
 * Return round values within the bounds, at most `most` + 1.
 * @param {number[]} bounds
 * @param {number} most
 */
export function ticks([low, high], most) {
  const rough = (high - low) / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((part) => part * power >= rough * 0.999) ?? 10) * power;
  const values = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
    values.push(i * step);
  return values;
}

/**
 * The drawing of a group that changes often. Elements of the last drawing are used again in their
 * order, so only attributes that changed are written.
 */
export class Layer {
  /** @param {Element} group */
  constructor(group) {
    this.group = group;
    this.used = 0;
  }

  begin() {
    this.used = 0;
  }

  /** Remove what the last drawing had more. */
  end() {
    while (this.group.children.length > this.used) this.group.lastElementChild?.remove();
  }

  /**
   * @param {string} name
   * @param {Record<string, string | number>} attributes
   * @param {string} [text]
   */
  add(name, attributes, text = "") {
    let element = this.group.children[this.used];
    if (element?.tagName !== name) {
      const made = document.createElementNS(SVG, name);
      if (element) element.replaceWith(made);
      else this.group.append(made);
      element = made;
    }
    this.used++;
    for (const old of element.getAttributeNames()) {
      if (!(old in attributes)) element.removeAttribute(old);
    }
    for (const [key, value] of Object.entries(attributes)) {
      if (element.getAttribute(key) !== String(value)) element.setAttribute(key, String(value));
    }
    if (element.textContent !== text) element.textContent = text;
  }

  /**
   * @param {string} className
   * @param {string} d
   * @param {Record<string, string | number>} [attributes]
   */
  path(className, d, attributes) {
    this.add("path", { class: className, d, ...attributes });
  }

  /**
   * @param {string} className
   * @param {number} x
   * @param {number} y
   * @param {string} text
   * @param {"start" | "middle" | "end"} [anchor]
   */
  text(className, x, y, text, anchor = "start") {
    const place = { x: roundPixels(x), y: roundPixels(y), "text-anchor": anchor };
    this.add("text", { class: className, ...place }, text);
  }
}

/** A panel's axes. Lines are clipped to them, markers are not; both are drawn anew at each epoch. */
export class Axes {
  /** @param {string} id */
  constructor(id) {
    const svg = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (document.getElementById(id)));
    const inside = `inside-${id}`;
    this.svg = svg;
    this.clip = addElement(addElement(addElement(svg, "defs"), "clipPath", { id: inside }), "rect");
    this.background = addElement(svg, "g");
    this.lines = addElement(svg, "g", { "clip-path": `url(#${inside})` });
    this.markers = addElement(svg, "g");
    /** @type {Box} */
    this.box = { left: 0, right: 1, top: 0, bottom: 1, em: 1 };
    /** @type {Scale} */
    this.xScale = (value) => value;
    /** @type {Scale} */
    this.yScale = this.xScale;
  }

  /**
   * Read the size of the SVG element, and clear the background.
   * @param {number} [below] room for the name of the x-axis, in em
   */
  resize(below = 0) {
    const { width, height } = this.svg.getBoundingClientRect();
    const em = Number.parseFloat(getComputedStyle(this.svg).fontSize);
    setAttributes(this.svg, { viewBox: `0 0 ${width} ${height}` });
    const [left, top] = [3.6 * em, 0.7 * em];
    const right = Math.max(width - 0.7 * em, left + 1);
    this.box = { left, right, top, bottom: Math.max(height - (1.7 + below) * em, top + 1), em };
    setAttributes(this.clip, {
      x: left,
      y: top,
      width: right - left,
      height: this.box.bottom - top,
    });
    this.background.replaceChildren();
    return this.box;
  }

  /**
   * Draw the axes, with a grid line at each tick of the y-axis.
   * @param {[number, string][]} xTicks position in pixels and label
   * @param {[number, string][]} yTicks
   */
  drawAxes(xTicks, yTicks) {
    const { left, right, top, bottom, em } = this.box;
    for (const [y, text] of yTicks) {
      addPath(this.background, "grid", `M${left} ${roundPixels(y)}H${right}`);
      addText(this.background, "", left - 0.4 * em, y + 0.35 * em, text, "end");
    }
    for (const [x, text] of xTicks) {
      addText(this.background, "", x, bottom + 1.2 * em, text, "middle");
    }
    addPath(this.background, "spine", `M${left} ${top}V${bottom}H${right}`);
  }

  /**
   * Set linear scales and draw their axes.
   * @param {number[]} xs bounds of the x-axis
   * @param {number[]} ys bounds of the y-axis
   */
  drawLinearAxes(xs, ys) {
    const { left, right, top, bottom, em } = this.box;
    this.xScale = linearScale(xs, [left, right]);
    this.yScale = linearScale(ys, [bottom, top]);
    this.drawAxes(
      ticks(xs, (right - left) / em / 4).map((value) => [this.xScale(value), tickText(value)]),
      ticks(ys, (bottom - top) / em / 2.4).map((value) => [this.yScale(value), tickText(value)]),
    );
  }

  /**
   * Return the path through the finite points. It is broken where a point is not finite.
   * @param {ArrayLike<number>} x
   * @param {ArrayLike<number>} y
   * @param {number} count
   * @param {boolean} [dots] whether the points are drawn as dots, without lines between them
   */
  pathThrough(x, y, count, dots = false) {
    let path = "";
    let pen = "M";
    let [lastLeft, lastTop] = [Number.NaN, Number.NaN];
    for (let i = 0; i < count; i++) {
      const [left, top] = [this.xScale(x[i]), this.yScale(y[i])];
      if (Number.isFinite(left + top)) {
        // Of many points at one place, the first and the last are drawn.
        const isNear = Math.abs(left - lastLeft) < 0.3 && Math.abs(top - lastTop) < 0.3;
        if (isNear && pen !== "M" && i < count - 1) continue;
        path += `${pen}${roundPixels(left)} ${roundPixels(top)}`;
        [lastLeft, lastTop] = [left, top];
        pen = dots ? "h0M" : "L";
      } else pen = dots && path ? "h0M" : "M";
    }
    return dots && path ? `${path}h0` : path;
  }

  /**
   * Return marker and position of a point: beyond the axes, a triangle at their edge.
   * @param {number} x
   * @param {number} y
   * @param {string} marker
   * @returns {[string, number, number]}
   */
  clampMarker(x, y, marker) {
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
 * Return the dashes of a line of this width.
 * @param {Style} style
 * @param {number} width
 */
export function dashes([, ...parts], width) {
  return parts.map((part) => roundPixels(part * width)).join(" ") || "none";
}
