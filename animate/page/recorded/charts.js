/** Panels with curves: what is known at each moment against time, and the fit to the data. */

import {
  addElement,
  addPath,
  addText,
  dashes,
  linearScale,
  markerPath,
  roundPixels,
  setAttributes,
  ticks,
} from "../drawing.js";
import { tickText, valueText } from "../numbers.js";
import { countUntil, floatsOf, momentNumber, stepsOf } from "./decode.js";

/**
 * A run, with the numbers of its heading at each of its shown records.
 * @typedef {object} Run
 * @property {string} name
 * @property {string} line colour
 * @property {string} text colour
 * @property {import("../drawing.js").Style} style
 * @property {number[]} times
 * @property {Float32Array} losses
 * @property {Float32Array | null} left
 * @property {{name: string, values: Float32Array}[]} details
 * @property {string[]} equations
 * @property {{text: string, at: number} | null} verdict
 * @property {{text: string, at: number} | null} overflow
 */

/**
 * What all panels share.
 * @typedef {object} Show
 * @property {Run[]} runs
 * @property {string} unit
 * @property {number[]} moments
 * @property {Set<number>} hidden indices of runs
 * @property {number} now
 */

/** @typedef {{x: number, y: number, title: string, rows: {run: number | null, text: string}[]}} Reading */
/** @typedef {Record<string, any>} View of config, as recorded/panels.py writes it */

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const TRAIL = [0.4, 0.4, 0.15, 0.15]; // opacities of earlier curves, the newest first
const HEAD_RADIUS = 0.4; // em
const SAMPLES = 40; // of a curve, by which its share in view is counted
const FAR = 2000; // pixels outside the axes

/** A figure with a caption and axes. A subclass draws in its layers. */
export class Panel {
  /**
   * @param {View} view
   * @param {number | null} run the index of the only run, or null for all
   * @param {Show} show
   */
  constructor(view, run, show) {
    this.view = view;
    this.run = run;
    this.show = show;
    this.figure = document.createElement("figure");
    this.figure.className = `panel ${view.kind}`;
    const caption = this.figure.appendChild(document.createElement("figcaption"));
    const words = caption.appendChild(document.createElement("span"));
    words.className = "caption";
    words.textContent = view.caption;
    this.caption = caption;
    this.value = document.createElement("b"); // no live region: it changes with each frame
    this.svg = addElement(this.figure, "svg", { role: "img" });
    const clip = `inside-${view.name}-${run ?? "all"}`;
    this.clip = addElement(
      addElement(addElement(this.svg, "defs"), "clipPath", { id: clip }),
      "rect",
    );
    this.inside = addElement(this.svg, "g", { "clip-path": `url(#${clip})` });
    this.background = addElement(this.svg, "g");
    this.lines = addElement(this.svg, "g", { "clip-path": `url(#${clip})` });
    this.heads = addElement(this.svg, "g");
    this.cursor = addElement(this.svg, "g", { class: "cursor" });
    this.box = { left: 0, right: 1, top: 0, bottom: 1, em: 1 };
    /** @type {import("../drawing.js").Scale} */
    this.x = (value) => value;
    /** @type {import("../drawing.js").Scale} */
    this.y = this.x;
    if (run !== null) setColors(this.figure, show.runs[run]);
  }

  /** Read the size of the panel and draw what stands still. Returns false while it is not shown. */
  resize() {
    const { width, height } = this.svg.getBoundingClientRect();
    if (width < 20 || height < 20) return false;
    const em = Number.parseFloat(getComputedStyle(this.svg).fontSize);
    setAttributes(this.svg, { viewBox: `0 0 ${width} ${height}` });
    let [left, top, right, bottom] = [3.2 * em, 0.6 * em, width - 0.8 * em, height - 1.6 * em];
    if (this.view.box && this.view.kind !== "fit") {
      const [xLow, xHigh, yLow, yHigh] = this.view.box;
      const shape = (xHigh - xLow) / (yHigh - yLow);
      const inner = this.hasEqualScales ? 1.5 : shape;
      const high = Math.min(bottom - top, (right - left) / inner);
      right = left + high * inner;
      bottom = top + high;
    }
    this.box = { left, right, top, bottom, em };
    setAttributes(this.clip, { x: left, y: top, width: right - left, height: bottom - top });
    for (const layer of [this.inside, this.background, this.lines, this.heads, this.cursor])
      layer.replaceChildren();
    return true;
  }

  /** Whether the axes have the shape that recorded/panels.py computed them for. */
  get hasEqualScales() {
    return true;
  }

  /**
   * Draw axes with a grid line at each tick of the y-axis.
   * @param {[number, string][]} xTicks position in pixels and label
   * @param {[number, string][]} yTicks
   * @param {boolean} [hasGrid]
   */
  drawAxes(xTicks, yTicks, hasGrid = true) {
    const { left, right, top, bottom, em } = this.box;
    for (const [y, text] of yTicks) {
      if (hasGrid) addPath(this.background, "grid", `M${left} ${roundPixels(y)}H${right}`);
      addText(this.background, "", left - 0.4 * em, y + 0.35 * em, text, "end");
    }
    for (const [x, text] of xTicks) {
      const reach = (text.length * em) / 3.4;
      const place = Math.min(x, right + 0.7 * em - reach);
      addText(this.background, "", place, bottom + 1.2 * em, text, "middle");
    }
    addPath(this.background, "spine", `M${left} ${top}V${bottom}H${right}`);
  }

  /** Set linear scales to the box of the view, and draw their axes. */
  drawBox(hasGrid = false) {
    const [xLow, xHigh, yLow, yHigh] = this.view.box;
    const { left, right, top, bottom, em } = this.box;
    this.x = linearScale([xLow, xHigh], [left, right]);
    this.y = linearScale([yLow, yHigh], [bottom, top]);
    this.drawAxes(
      someTicks([xLow, xHigh], (right - left) / em / 4.5).map((one) => [
        this.x(one),
        tickText(one),
      ]),
      someTicks([yLow, yHigh], (bottom - top) / em / 2.4).map((one) => [
        this.y(one),
        tickText(one),
      ]),
      hasGrid,
    );
  }

  /** Return the width of a line that has so many em. @param {number} width */
  pixels(width) {
    return Math.max(1, roundPixels(width * this.box.em));
  }

  /**
   * Return the index of the last record of a run at or before now; −1 before its first.
   * @param {number} run
   */
  recordOf(run) {
    return countUntil(this.show.runs[run].times, this.show.now) - 1;
  }

  /** Draw what is known now. */
  draw() {}

  /**
   * Return what is at a place in pixels, of what is known now.
   * @param {number} _x
   * @param {number} _y
   * @returns {Reading | null}
   */
  read(_x, _y) {
    return null;
  }

  /** Remove the mark of what is read. */
  leave() {
    this.cursor.replaceChildren();
  }

  /** @param {string} text */
  describe(text) {
    const name = this.run === null ? "" : `, ${this.show.runs[this.run].name}`;
    const at = `at ${this.show.unit} ${momentNumber(this.show.now)}`;
    this.svg.setAttribute("aria-label", `${this.view.caption}${name}, ${at}${text && `: ${text}`}`);
  }
}

/**
 * Set the colours of a run for an element and what is in it.
 * @param {HTMLElement | SVGElement} element
 * @param {Run} run
 */
export function setColors(element, run) {
  element.style.setProperty("--color", run.line);
  element.style.setProperty("--text", run.text);
}

/**
 * A curve in a panel: all of its points, drawn up to a moment.
 * @typedef {object} Curve
 * @property {Record<string, any>} series
 * @property {number[]} times
 * @property {Float32Array} values
 * @property {boolean} isOther whether it is drawn thin and pale, for comparison
 * @property {SVGElement} path
 * @property {SVGElement | null} head
 * @property {string[]} parts of the path, one for each point
 * @property {Int32Array} last index of the last finite value up to each point
 */

/** Curves against time: losses, metrics, sharpness. */
export class CurvesPanel extends Panel {
  /**
   * @param {View} view
   * @param {number | null} run
   * @param {Show} show
   */
  constructor(view, run, show) {
    super(view, run, show);
    /** @type {Curve[]} */
    this.curves = [];
    if (run !== null) {
      if (view.name !== "loss") this.caption.append(this.value); // the heading has it
      this.addLegend();
    }
  }

  /** Name the kinds of lines of the panel's run, if it has several. */
  addLegend() {
    const named = this.view.series.filter((/** @type {View} */ one) => one.run === this.run);
    if (named.length < 2) return;
    for (const one of named) {
      const key = document.createElement("span");
      key.className = "key";
      const svg = addElement(key, "svg", { viewBox: "0 0 28 8", "aria-hidden": "true" });
      addPath(svg, one.is_limit ? "reference" : "run", "M0 4H28", {
        "stroke-width": Math.max(1, 16 * (one.width ?? 0.17)),
        "stroke-dasharray": this.dashesOf(one, Math.max(1, 16 * (one.width ?? 0.17))),
        "stroke-opacity": one.opacity ?? 1,
      });
      key.append(one.name ?? "training");
      this.caption.append(key);
    }
  }

  /**
   * @param {View} series
   * @param {number} width
   */
  dashesOf(series, width) {
    const own = this.show.runs[series.run].style;
    return dashes(series.dash ? [own[0], ...series.dash] : own, width);
  }

  resize() {
    if (!super.resize()) return false;
    const { left, right, top, bottom, em } = this.box;
    const { moments } = this.show;
    const [first, last] = [moments[0], moments[moments.length - 1]];
    const room = 0.02 * (last - first) || 0.5;
    this.x = linearScale([first - room, last + room], [left, right]);
    const [low, high] = this.view.y;
    if (this.view.isLog) {
      const scale = linearScale([Math.log10(low), Math.log10(high)], [bottom, top]);
      this.y = (/** @type {number} */ value) =>
        scale(Math.log10(Math.max(value, Number.MIN_VALUE)));
    } else this.y = linearScale([low, high], [bottom, top]);
    const up = (bottom - top) / em / 2.4;
    const yTicks = this.view.isLog
      ? logTicks(low, high, up)
      : someTicks([low, high], up).map(
          (one) => /** @type {[number, string]} */ ([one, tickText(one)]),
        );
    const xTicks = ticks([first, last], Math.max(1, (right - left) / em / 5)).filter(
      Number.isInteger,
    );
    this.drawAxes(
      xTicks.map((one) => [this.x(one), tickText(one)]),
      yTicks.map(([value, text]) => [this.y(value), text]),
    );
    this.drawReferences();
    this.drawTurn();
    this.curves = this.view.series
      .filter((/** @type {View} */ one) => this.shows(one))
      .sort((/** @type {View} */ one, /** @type {View} */ two) => this.depth(one) - this.depth(two))
      .map((/** @type {View} */ one) => this.makeCurve(one));
    return true;
  }

  /** @param {View} series */
  shows(series) {
    if (this.run === null || series.run === this.run) return true;
    return Boolean(this.view.compares) && series === this.mainSeries(series.run);
  }

  /** @param {number} run */
  mainSeries(run) {
    return this.view.series.find((/** @type {View} */ one) => one.run === run && !one.is_limit);
  }

  /** @param {View} series */
  depth(series) {
    if (this.run !== null && series.run !== this.run) return 0;
    return series === this.mainSeries(series.run) ? 2 : 1;
  }

  drawReferences() {
    const { left, right, top, bottom, em } = this.box;
    const known = (this.view.references ?? []).filter(
      (/** @type {View} */ one) => this.run === null || one.run === this.run,
    );
    const heights = new Set();
    for (const { y: value, text, shades } of known) {
      if (heights.has(value)) continue;
      heights.add(value);
      const y = this.y(value);
      if (shades && y > top) {
        const end = Math.min(y, bottom);
        addElement(this.inside, "rect", {
          class: "unstable",
          x: left,
          y: top,
          width: right - left,
          height: end - top,
        });
      }
      if (y < top || y > bottom) {
        const words = `${text}, ${y < top ? "above" : "below"}`;
        const edge = y < top ? top + em : bottom - 0.4 * em;
        addText(this.inside, "note", right - 0.4 * em, edge, words, "end");
        continue;
      }
      addPath(this.inside, "reference", `M${left} ${roundPixels(y)}H${right}`, {
        "stroke-dasharray": "1.5 2.5",
      });
      const below = this.view.name === "loss" || this.view.name === "losses";
      addText(this.inside, "note", right - 0.4 * em, y + (below ? 1.1 : -0.4) * em, text, "end");
    }
  }

  /** Mark where the loss of the panel's run turns; `draw` shows it from its moment on. */
  drawTurn() {
    const { em, right } = this.box;
    /** @type {View | undefined} */
    const turn = this.view.turns?.find((/** @type {View} */ one) => one.run === this.run);
    this.turn = turn && { from: turn.from, group: addElement(this.heads, "g") };
    if (!turn || !this.turn) return;
    const [x, y] = [this.x(turn.time), this.y(turn.y)];
    addPath(this.turn.group, "ring", markerPath("o", x, y, 0.4 * em));
    const isRight = x + 0.55 * em * turn.text.length < right;
    const end = isRight ? x + 0.8 * em : x - 0.8 * em;
    addText(this.turn.group, "note", end, y + 1.5 * em, turn.text, isRight ? "start" : "end");
  }

  /**
   * @param {View} series
   * @returns {Curve}
   */
  makeCurve(series) {
    const run = this.show.runs[series.run];
    const times = series.times ?? run.times;
    series.decoded ??= floatsOf(series.values);
    const values = /** @type {Float32Array} */ (series.decoded);
    const isOther = this.run !== null && series.run !== this.run;
    const isMain = series === this.mainSeries(series.run);
    const width = this.pixels(isOther ? 0.11 : (series.width ?? 0.17));
    const path = addPath(
      this.lines,
      isOther ? "other" : series.is_limit ? "reference" : "run",
      "",
      {
        "stroke-width": width,
        "stroke-dasharray": isOther ? "none" : this.dashesOf(series, width),
        "stroke-opacity": series.opacity ?? 1,
      },
    );
    const head = isMain && !isOther ? addPath(this.heads, "head", "") : null;
    for (const element of head ? [path, head] : [path]) setColors(element, run);
    const parts = [];
    const last = new Int32Array(values.length);
    let pen = "M";
    for (let i = 0; i < values.length; i++) {
      const [x, y] = [this.x(times[i]), this.y(values[i])];
      const isKnown = Number.isFinite(x + y);
      parts.push(isKnown ? `${pen}${roundPixels(x)} ${roundPixels(y)}` : "");
      pen = isKnown ? "L" : "M";
      last[i] = isKnown ? i : (last[i - 1] ?? -1);
    }
    return { series, times, values, isOther, path, head, parts, last };
  }

  draw() {
    const { now, hidden } = this.show;
    for (const curve of this.curves) {
      const count = hidden.has(curve.series.run) ? 0 : countUntil(curve.times, now);
      curve.path.setAttribute("d", curve.parts.slice(0, count).join(""));
      curve.head?.setAttribute("d", count ? this.headPath(curve, count - 1) : "");
    }
    this.turn?.group.setAttribute("display", now >= this.turn.from ? "inline" : "none");
    this.write();
  }

  /**
   * Return the marker at a point, a triangle at the edge if it is outside, or a cross after the
   * last finite one.
   * @param {Curve} curve
   * @param {number} index
   */
  headPath(curve, index) {
    const { left, right, top, bottom, em } = this.box;
    const last = curve.last[index];
    if (last < 0) return "";
    const [x, y] = [this.x(curve.times[last]), this.y(curve.values[last])];
    let marker = this.show.runs[curve.series.run].style[0];
    if (y < top) marker = "^";
    if (y > bottom) marker = "v";
    if (last < index) marker = "X";
    const inside = [Math.min(right, Math.max(left, x)), Math.min(bottom, Math.max(top, y))];
    return markerPath(marker, inside[0], inside[1], HEAD_RADIUS * em);
  }

  /** Write the value of the panel's run now. */
  write() {
    const own = this.curves.find((one) => one.head && one.series.run === this.run);
    const count = own ? countUntil(own.times, this.show.now) : 0;
    const value = own && count ? own.values[count - 1] : Number.NaN;
    const isLost = own && count && own.last[count - 1] < count - 1;
    this.value.textContent = Number.isNaN(value) ? "" : valueText(value);
    if (isLost) this.value.textContent = "not finite";
    const others = this.curves
      .filter((one) => this.run === null && !this.show.hidden.has(one.series.run))
      .map((one) => `${this.show.runs[one.series.run].name} ${this.textAt(one, this.show.now)}`);
    this.describe(this.run === null ? others.join(", ") : this.value.textContent);
  }

  /**
   * Return the value of a curve at a time.
   * @param {Curve} curve
   * @param {number} time
   */
  textAt(curve, time) {
    const count = countUntil(curve.times, time);
    if (!count) return "";
    return Number.isNaN(curve.values[count - 1])
      ? "not finite"
      : valueText(curve.values[count - 1]);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Reading | null}
   */
  read(x, y) {
    const { left, right, top, bottom } = this.box;
    const { moments, now, runs, hidden, unit } = this.show;
    if (x < left - 8 || x > right + 8 || y < top - 8 || y > bottom + 8) return null;
    const shown = countUntil(moments, now);
    let nearest = 0;
    for (let i = 1; i < shown; i++) {
      if (Math.abs(this.x(moments[i]) - x) < Math.abs(this.x(moments[nearest]) - x)) nearest = i;
    }
    const time = moments[nearest];
    const rows = this.curves
      .filter((one) => !hidden.has(one.series.run) && this.textAt(one, time))
      .sort((one, two) => Number(one.isOther) - Number(two.isOther))
      .map((one) => {
        const name = one.isOther || this.run === null ? runs[one.series.run].name : "";
        const kind = one.isOther ? "" : (one.series.name ?? "");
        const words = [name, kind].filter(Boolean).join(", ");
        return {
          run: /** @type {number | null} */ (one.series.run),
          text: words ? `${words}: ${this.textAt(one, time)}` : this.textAt(one, time),
        };
      });
    const at = this.x(time);
    this.cursor.replaceChildren();
    addPath(this.cursor, "now", `M${roundPixels(at)} ${top}V${bottom}`);
    return { x: at, y, title: `${unit} ${momentNumber(time)}`, rows };
  }
}

/**
 * Return round values within the bounds, a few more if there would be hardly any.
 * @param {number[]} bounds
 * @param {number} most
 */
function someTicks(bounds, most) {
  const found = ticks(bounds, most);
  return found.length > 2 ? found : ticks(bounds, 2 * most);
}

/**
 * Return powers of ten, or where there are few other round values, with their labels.
 * @param {number} low
 * @param {number} high
 * @param {number} most
 * @returns {[number, string][]}
 */
export function logTicks(low, high, most) {
  const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
  const step = 1 + Math.trunc((last - first) / Math.max(Math.trunc(most), 2));
  /** @type {[number, string][]} */
  const found = [];
  for (let power = first; power <= last; power += step) found.push([10 ** power, powerText(power)]);
  if (found.length > 1) return found;
  return [first - 1, first]
    .flatMap((power) => [1, 2, 5].map((part) => part * 10 ** power))
    .filter((value) => low <= value && value <= high)
    .map((value) => [value, tickText(value)]);
}

/** @param {number} power */
function powerText(power) {
  if (Math.abs(power) <= 3) return tickText(10 ** power);
  const digits = [...String(Math.abs(power))].map((digit) => SUPERSCRIPTS[Number(digit)]).join("");
  return `10${power < 0 ? "⁻" : ""}${digits}`;
}

/**
 * Return the value of a curve at a place between its points.
 * @param {Float32Array} curve
 * @param {number} place from 0 to the number of points less 1
 */
function between(curve, place) {
  const before = Math.min(Math.floor(place), curve.length - 2);
  return curve[before] + (curve[before + 1] - curve[before]) * (place - before);
}

/** The data, and the line or curve of one run. */
export class FitPanel extends Panel {
  /**
   * @param {View} view
   * @param {number} run
   * @param {Show} show
   */
  constructor(view, run, show) {
    super(view, run, show);
    const [, , low, high] = view.box;
    view.decoded ??= view.curves.map((/** @type {string} */ text) =>
      view.isLine ? floatsOf(text) : stepsOf(text, low, high),
    );
    this.values = /** @type {Float32Array} */ (view.decoded[run]);
    this.own = run;
    this.shares = show.runs[run].times.map((_, record) => this.share(record));
    for (const one of view.references) {
      const key = document.createElement("span");
      key.className = "key";
      const svg = addElement(key, "svg", { viewBox: "0 0 28 8", "aria-hidden": "true" });
      addPath(svg, "reference", "M0 4H28", { "stroke-dasharray": dashes(["", ...one.dash], 1.5) });
      key.append(one.name);
      this.caption.append(key);
    }
  }

  resize() {
    if (!super.resize()) return false;
    this.drawBox(true);
    const points = floatsOf(this.view.points);
    let dots = "";
    for (let i = 0; i < points.length; i += 2)
      dots += `M${roundPixels(this.x(points[i]))} ${roundPixels(this.y(points[i + 1]))}h0`;
    addPath(this.inside, "points", dots);
    const [left, right] = this.view.box;
    for (const one of this.view.references) {
      const values = floatsOf(one.y);
      const inputs = [...values].map((_, i) => left + ((right - left) * i) / (values.length - 1));
      addPath(this.inside, "reference", this.through(inputs, values), {
        "stroke-dasharray": dashes(["", ...one.dash], 1.5),
      });
    }
    this.trail = TRAIL.map((opacity) =>
      addPath(this.lines, "run", "", {
        "stroke-width": this.pixels(0.11),
        "stroke-opacity": opacity,
      }),
    );
    this.line = addPath(this.lines, "run", "", { "stroke-width": this.pixels(0.22) });
    const { left: first, right: end, bottom, em } = this.box;
    const note = { class: "outside", x: (first + end) / 2, y: bottom - 0.5 * em };
    this.note = addElement(this.lines, "text", { ...note, "text-anchor": "middle" });
    return true;
  }

  /**
   * Return the path through points, cut where it is far outside, since browsers draw large
   * coordinates wrongly.
   * @param {number[]} inputs
   * @param {ArrayLike<number>} values
   */
  through(inputs, values) {
    const [low, high] = [this.box.top - FAR, this.box.bottom + FAR];
    let [path, end] = ["", ""];
    for (let i = 1; i < inputs.length; i++) {
      const [x0, x1] = [this.x(inputs[i - 1]), this.x(inputs[i])];
      const [y0, y1] = [this.y(values[i - 1]), this.y(values[i])];
      if (!Number.isFinite(y0 + y1) || Math.max(y0, y1) < low || Math.min(y0, y1) > high) continue;
      const cut = (/** @type {number} */ x, /** @type {number} */ y) => {
        const inside = Math.max(low, Math.min(high, y));
        const shown = y1 === y0 ? x : x + ((inside - y) * (x1 - x0)) / (y1 - y0);
        return `${roundPixels(shown)} ${roundPixels(inside)}`;
      };
      const start = cut(x0, y0);
      if (start !== end) path += `M${start}`;
      end = cut(x1, y1);
      path += `L${end}`;
    }
    return path;
  }

  /**
   * Return in which share of the width the curve of a record is in view; NaN after an overflow.
   * @param {number} record
   */
  share(record) {
    const [, , low, high] = this.view.box;
    const curve = this.curve(record);
    if (curve.some(Number.isNaN)) return Number.NaN;
    let inside = 0;
    for (let i = 0; i < SAMPLES; i++) {
      const value = between(curve, (i / (SAMPLES - 1)) * (curve.length - 1));
      if (low < value && value < high) inside++;
    }
    return inside / SAMPLES;
  }

  /** @param {number} record */
  isOut(record) {
    return this.shares[record] <= this.view.leastInView;
  }

  /** @param {number} record */
  curve(record) {
    const count = this.view.inputs.length;
    return this.values.subarray(record * count, (record + 1) * count);
  }

  draw() {
    const record = this.recordOf(this.own);
    this.line?.setAttribute(
      "d",
      record < 0 ? "" : this.through(this.view.inputs, this.curve(record)),
    );
    /** @type {Float32Array[]} */
    const earlier = [];
    for (let i = record - 1; i >= 0 && earlier.length < TRAIL.length; i--)
      if (this.shares[i] > this.view.leastInView) earlier.push(this.curve(i));
    this.trail?.forEach((path, i) => {
      path.setAttribute("d", earlier[i] ? this.through(this.view.inputs, earlier[i]) : "");
    });
    // While every second line is in view, a note for the others alone would flicker.
    const isNoted =
      this.isOut(record) || (this.isOut(record - 1) && !Number.isNaN(this.shares[record]));
    const { left, right, em } = this.box;
    const notes = this.view.notes[this.own];
    const fitting = notes.find(
      (/** @type {string} */ text) => 0.58 * em * text.length < right - left,
    );
    if (this.note) this.note.textContent = isNoted ? (fitting ?? notes[notes.length - 1]) : "";
    const equation = this.show.runs[this.own].equations[Math.max(record, 0)];
    this.describe(equation ?? "");
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Reading | null}
   */
  read(x, y) {
    const { left, right, top, bottom } = this.box;
    const record = this.recordOf(this.own);
    if (record < 0 || x < left || x > right || y < top || y > bottom) return null;
    const [low, high] = this.view.box;
    const share = (x - left) / (right - left);
    const curve = this.curve(record);
    const value = between(curve, share * (curve.length - 1));
    const at = this.y(value);
    this.cursor.replaceChildren();
    if (at >= top && at <= bottom)
      addPath(this.cursor, "ring", markerPath("o", x, at, 0.35 * this.box.em));
    return {
      x,
      y: Math.min(bottom, Math.max(top, Number.isFinite(at) ? at : y)),
      title: `x = ${valueText(low + share * (high - low))}`,
      rows: [{ run: this.own, text: `y = ${valueText(value)}` }],
    };
  }
}
