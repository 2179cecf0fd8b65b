/**
 * The four panels. `layOut` draws the background, anew when the data or the size change. `draw` draws
 * the runs at the scene's epoch; it depends on the scene alone.
 */

import { lossOf } from "./descent.js";
import {
  Axes,
  addElement,
  addPath,
  addText,
  dashes,
  linearScale,
  markerPath,
  roundPixels,
  setAttributes,
  ticks,
} from "./drawing.js";

/**
 * A run with its diagnosis; `slot` selects its color and style.
 * @typedef {{
 *   slot: number, rate: number, run: import("./descent.js").Run,
 *   diagnosis: import("./descent.js").Diagnosis,
 * }} Entry
 *
 * All that the panels draw. `initialStart` sets their bounds, so that they stay when the start moves.
 * @typedef {{
 *   data: import("./descent.js").Data, analysis: import("./descent.js").Analysis,
 *   initialStart: number[], start: number[], trueWeights: number[] | null, epochs: number,
 *   styles: import("./drawing.js").Style[], entries: Entry[], chosen: Entry, epoch: number,
 * }} Scene
 */

const [CHOSEN_WIDTH, OTHER_WIDTH] = [3, 1.75]; // pixels
const MARKER_RADIUS = 5.5; // pixels
const BOWL_TRAIL = 8; // epochs before the present one that are shown
const FIT_TRAIL = 4;
const CONTOURS = 7;
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/**
 * Return a power of ten as text.
 * @param {number} power
 */
function powerText(power) {
  if (Math.abs(power) <= 3) return String(Number((10 ** power).toPrecision(1)));
  return `10${power < 0 ? "⁻" : ""}${[...String(Math.abs(power))].map((digit) => SUPERSCRIPTS[Number(digit)]).join("")}`;
}

/**
 * Return the entries in drawing order: the chosen one last, above the others.
 * @param {Scene} scene
 */
function inDrawingOrder({ entries, chosen }) {
  return [...entries.filter((entry) => entry !== chosen), chosen];
}

/**
 * Return the color, marker and line of a run.
 * @param {Scene} scene
 * @param {Entry} entry
 */
function runStyle({ styles, chosen }, entry) {
  const width = entry === chosen ? CHOSEN_WIDTH : OTHER_WIDTH;
  const style = styles[entry.slot];
  return {
    marker: style[0],
    radius: entry === chosen ? MARKER_RADIUS * 1.15 : MARKER_RADIUS,
    color: `--color: var(--run${entry.slot})`,
    width,
    dash: dashes(style, width),
  };
}

class Panel extends Axes {
  /** @param {Scene} scene */
  draw(scene) {
    this.lines.replaceChildren();
    this.markers.replaceChildren();
    for (const entry of inDrawingOrder(scene)) this.drawRun(scene, entry);
  }

  /**
   * @param {Scene} _scene
   * @param {Entry} _entry
   */
  drawRun(_scene, _entry) {}

  /**
   * Add a line in a run's style, or solid with the width `solid`.
   * @param {string} path
   * @param {ReturnType<typeof runStyle>} style
   * @param {number} [solid]
   * @param {number} [opacity]
   */
  addLine(path, style, solid = 0, opacity = 1) {
    addPath(this.lines, "run", path, {
      style: style.color,
      opacity,
      "stroke-width": solid || style.width,
      "stroke-dasharray": solid ? "none" : style.dash,
    });
  }

  /**
   * Add the marker of a run at an epoch, or a cross where it was last finite.
   * @param {ArrayLike<number>} x
   * @param {ArrayLike<number>} y
   * @param {number} epoch
   * @param {ReturnType<typeof runStyle>} style
   */
  addHead(x, y, epoch, style) {
    let last = epoch;
    while (last > 0 && !Number.isFinite(x[last] + y[last])) last--;
    const [shown, left, top] = this.clampMarker(
      this.xScale(x[last]),
      this.yScale(y[last]),
      style.marker,
    );
    const path = markerPath(last < epoch ? "X" : shown, left, top, style.radius);
    addPath(this.markers, "head", path, { style: style.color });
  }
}

/** The data and each run's line; the chosen run also with the lines of the epochs before. */
export class FitPanel extends Panel {
  /** @param {Scene} scene */
  layOut({ data, analysis, initialStart, trueWeights }) {
    const { right, top, bottom, left, em } = this.resize();
    const [low, high] = [Math.min(...data.x), Math.max(...data.x)];
    const margin = 0.06 * (high - low);
    this.ends = [low - margin, high + margin];
    const heights = [...data.y, ...this.ends.map((x) => initialStart[0] * x + initialStart[1])];
    const [lowest, highest] = [Math.min(...heights), Math.max(...heights)];
    const yMargin = 0.35 * (highest - lowest) || 1;
    this.drawLinearAxes(this.ends, [lowest - yMargin, highest + yMargin]);
    const points = this.pathThrough(data.x, data.y, data.x.length, true);
    addPath(this.background, "points", points);
    /** @type {[string, string, number[] | null][]} */
    const references = [
      ["best fit", "6 4", analysis.bestWeights],
      ["true line", "1.5 3", trueWeights],
    ];
    const known = references.filter(([, , weights]) => weights);
    const falls = analysis.bestWeights[0] < 0;
    known.forEach(([name, dash, weights], i) => {
      const d = this.linePath(
        /** @type {number[]} */ (weights)[0],
        /** @type {number[]} */ (weights)[1],
      );
      addPath(this.background, "reference", d, { "stroke-dasharray": dash });
      const y = bottom - (known.length - i - 0.4) * 1.25 * em;
      const x = falls ? left + 0.6 * em : right - 7 * em;
      addPath(this.background, "reference", `M${x} ${y - 0.3 * em}h${1.8 * em}`, {
        "stroke-dasharray": dash,
      });
      addText(this.background, "note", x + 2.2 * em, y, name);
    });
    this.middle = [(left + right) / 2, (top + bottom) / 2, top + 1.1 * em];
  }

  /**
   * Return the path of the line with these weights.
   * @param {number} slope
   * @param {number} bias
   */
  linePath(slope, bias) {
    const heights = this.ends?.map((x) => slope * x + bias) ?? [];
    return this.pathThrough(this.ends ?? [], heights, 2);
  }

  /**
   * @param {Scene} scene
   * @param {Entry} entry
   */
  drawRun(scene, entry) {
    const { slopes, biases } = entry.run;
    const style = runStyle(scene, entry);
    const { top, bottom } = this.box;
    const { epoch } = scene;
    if (entry === scene.chosen) {
      for (let before = Math.max(0, epoch - FIT_TRAIL); before < epoch; before++) {
        const opacity = 0.15 + 0.1 * (FIT_TRAIL - epoch + before);
        this.addLine(this.linePath(slopes[before], biases[before]), style, 1.5, opacity);
      }
    }
    this.addLine(this.linePath(slopes[epoch], biases[epoch]), style);
    const ends = /** @type {number[]} */ (this.ends);
    const markerX = ends[1] - (0.06 + 0.05 * entry.slot) * (ends[1] - ends[0]);
    const y = this.yScale(slopes[epoch] * markerX + biases[epoch]);
    if (y > top && y < bottom) {
      const path = markerPath(style.marker, this.xScale(markerX), y, style.radius);
      addPath(this.markers, "head", path, { style: style.color });
    }
    const heights = ends.map((x) => this.yScale(slopes[epoch] * x + biases[epoch]));
    const isOutside = Math.max(...heights) < top || Math.min(...heights) > bottom;
    if (isOutside && entry === scene.chosen) {
      const [x, , y] = /** @type {number[]} */ (this.middle);
      const arrow = heights[0] + heights[1] < top + bottom ? "▲" : "▼";
      addText(this.markers, "out-of-view", x, y, `${arrow} the line is out of view`, "middle");
    }
  }
}

/** The loss against the epoch on a log axis. */
export class LossPanel extends Panel {
  /** @param {Scene} scene */
  layOut({ data, analysis, initialStart, epochs }) {
    const { left, right, top, bottom, em } = this.resize();
    const first = Math.max(lossOf(data, initialStart), 1e-12);
    const low = Math.log10(Math.max(analysis.bestLoss, 1e-6 * first));
    const high = Math.max(Math.log10(100 * first), low + 1);
    const bounds = [low - (high - low) * 0.14, high];
    const logScale = linearScale(bounds, [bottom, top]);
    this.yScale = (/** @type {number} */ loss) => logScale(Math.log10(loss));
    this.xScale = linearScale([-0.015 * epochs, 1.02 * epochs], [left, right]);
    const step = 1 + Math.floor((bounds[1] - bounds[0]) / ((bottom - top) / em / 2.2));
    /** @type {[number, string][]} */
    const powers = [];
    for (let power = Math.ceil(bounds[0]); power <= bounds[1]; power += step) {
      powers.push([logScale(power), powerText(power)]);
    }
    const whole = ticks([0, epochs], Math.min(epochs, (right - left) / em / 5)).filter(
      Number.isInteger,
    );
    this.drawAxes(
      whole.map((epoch) => [this.xScale(epoch), String(epoch)]),
      powers,
    );
    const floor = this.yScale(analysis.bestLoss);
    if (floor < bottom) {
      addPath(this.background, "reference", `M${left} ${roundPixels(floor)}H${right}`, {
        "stroke-dasharray": "1.5 3",
      });
      addText(
        this.background,
        "note",
        right - 0.3 * em,
        floor + 1.1 * em,
        "the best fit’s loss",
        "end",
      );
    }
    this.numbers = Float64Array.from({ length: epochs + 1 }, (_, epoch) => epoch);
  }

  /** @param {Scene} scene */
  draw(scene) {
    super.draw(scene);
    const { left, right, bottom, top } = this.box;
    const now = roundPixels(this.xScale(scene.epoch));
    if (now > left && now < right) addPath(this.lines, "now", `M${now} ${top}V${bottom}`);
  }

  /**
   * @param {Scene} scene
   * @param {Entry} entry
   */
  drawRun(scene, entry) {
    const { losses } = entry.run;
    const style = runStyle(scene, entry);
    const numbers = /** @type {Float64Array} */ (this.numbers);
    this.addLine(this.pathThrough(numbers, losses, scene.epoch + 1), style);
    this.addHead(numbers, losses, scene.epoch, style);
    const { diagnosis } = entry;
    if (
      entry !== scene.chosen ||
      diagnosis.verdict !== "diverging" ||
      scene.epoch < diagnosis.verdictEpoch
    )
      return;
    let lowest = 0;
    for (let epoch = 1; epoch <= scene.epochs; epoch++) {
      if (losses[epoch] < losses[lowest]) lowest = epoch;
    }
    if (lowest === 0 || lowest === scene.epochs) return;
    const { left, right, em } = this.box;
    const [x, y] = [this.xScale(lowest), this.yScale(losses[lowest])];
    addPath(this.markers, "ring", markerPath("o", x, y, MARKER_RADIUS));
    const late = x > (left + right) / 2;
    const side = late ? -0.9 : 0.9;
    addText(
      this.markers,
      "note",
      x + side * em,
      y + 1.3 * em,
      `turns at epoch ${lowest}`,
      late ? "end" : "start",
    );
  }
}

/** Contours of the loss over both weights, with each run's trajectory; the start can be dragged. */
export class SurfacePanel extends Panel {
  /** @param {string} id */
  constructor(id) {
    super(id);
    this.handle = /** @type {SVGGElement} */ (this.svg.querySelector(".handle"));
    this.markers.after(this.handle);
    /** @type {number[][]} */
    this.bounds = [
      [0, 1],
      [0, 1],
    ];
  }

  /** @param {Scene} scene */
  layOut({ analysis, initialStart, trueWeights }) {
    const { left, right, top, bottom, em } = this.resize();
    const [slope, bias] = analysis.bestWeights;
    const aspect = (bottom - top) / (right - left);
    const half = Math.max(
      1.9 * Math.abs(initialStart[1] - bias),
      1.25 * Math.abs(initialStart[0] - slope) * aspect,
      0.1,
    );
    this.bounds = [
      [slope - half / aspect, slope + half / aspect],
      [bias - half, bias + half],
    ];
    this.drawLinearAxes(this.bounds[0], this.bounds[1]);
    const [x, y] = [this.xScale(slope), this.yScale(bias)];
    const contours = addElement(this.background, "g", {
      "clip-path": this.lines.getAttribute("clip-path") ?? "",
    });
    this.background.prepend(contours);
    const [large, small] = analysis.curvatures;
    const [ofSlope, ofBias] = analysis.sharpest;
    const largest = Math.max(
      ...[1, -1].map((sign) => {
        const [dx, dy] = [half / aspect, sign * half];
        return (
          large * (ofSlope * dx + ofBias * dy) ** 2 + small * (ofBias * dx - ofSlope * dy) ** 2
        );
      }),
    );
    const scale = (right - left) / (this.bounds[0][1] - this.bounds[0][0]);
    const degrees = (-Math.atan2(ofBias, ofSlope) * 180) / Math.PI;
    for (let contour = CONTOURS; contour > 0; contour--) {
      const radius = (Math.sqrt(largest) * contour * scale) / CONTOURS;
      addElement(contours, "ellipse", {
        class: "contour",
        style: `--depth: ${Math.round(100 * (1 - ((contour - 1) / (CONTOURS - 1)) ** 0.7))}%`,
        rx: roundPixels(radius / Math.sqrt(large)),
        ry: roundPixels(radius / Math.sqrt(small)),
        transform: `translate(${roundPixels(x)} ${roundPixels(y)}) rotate(${degrees.toFixed(2)})`,
      });
    }
    if (trueWeights) {
      const [left, top] = [this.xScale(trueWeights[0]), this.yScale(trueWeights[1])];
      addPath(this.background, "plus", `M${roundPixels(left - 6)} ${roundPixels(top)}h12m-6 -6v12`);
      addText(this.background, "note", left + 0.7 * em, top + 1.1 * em, "true");
    }
    addPath(this.background, "place", markerPath("*", x, y, 7));
    addText(this.background, "note", x + 0.7 * em, y - 0.5 * em, "best");
  }

  /** @param {Scene} scene */
  draw(scene) {
    super.draw(scene);
    const [x, y] = [this.xScale(scene.start[0]), this.yScale(scene.start[1])];
    const [, left, top] = this.clampMarker(x, y, "");
    setAttributes(this.handle, {
      transform: `translate(${roundPixels(left)} ${roundPixels(top)})`,
    });
  }

  /**
   * @param {Scene} scene
   * @param {Entry} entry
   */
  drawRun(scene, entry) {
    const { slopes, biases } = entry.run;
    const style = runStyle(scene, entry);
    const count = scene.epoch + 1;
    const isChosen = entry === scene.chosen;
    this.addLine(this.pathThrough(slopes, biases, count), style, isChosen ? 1.75 : 1);
    this.addLine(this.pathThrough(slopes, biases, count, true), style, isChosen ? 5 : 3.5);
    if (scene.epoch) this.addHead(slopes, biases, scene.epoch, style);
  }

  /**
   * Return the weights at a point of the window, limited to the axes.
   * @param {number} x
   * @param {number} y
   */
  weightsAt(x, y) {
    const { left: originX, top: originY } = this.svg.getBoundingClientRect();
    const { left, right, top, bottom } = this.box;
    const slope = linearScale(
      [left, right],
      this.bounds[0],
    )(Math.min(right, Math.max(left, x - originX)));
    const bias = linearScale(
      [bottom, top],
      this.bounds[1],
    )(Math.min(bottom, Math.max(top, y - originY)));
    return [slope, bias];
  }
}

/** The loss along the steepest direction, each run as a marker on it, and the chosen run's next step. */
export class BowlPanel extends Panel {
  /** @param {Scene} scene */
  layOut({ analysis, initialStart }) {
    const { left, right, top, em } = this.resize();
    const first =
      (initialStart[0] - analysis.bestWeights[0]) * analysis.sharpest[0] +
      (initialStart[1] - analysis.bestWeights[1]) * analysis.sharpest[1];
    const reach = 2.4 * (Math.abs(first) || 1);
    const highest = 0.5 * analysis.curvatures[0] * reach ** 2;
    this.drawLinearAxes([-reach, reach], [-0.09 * highest, 1.02 * highest]);
    const errors = Float64Array.from({ length: 121 }, (_, i) => (i / 60 - 1) * reach);
    const heights = errors.map((error) => 0.5 * analysis.curvatures[0] * error ** 2);
    addPath(this.background, "bowl", this.pathThrough(errors, heights, errors.length));
    addText(this.background, "", (left + right) / 2, top + em, "arrow: the next step", "middle");
  }

  /**
   * @param {Scene} scene
   * @param {Entry} entry
   */
  drawRun(scene, entry) {
    const { analysis, epoch } = scene;
    const { slopes, biases } = entry.run;
    const curvature = analysis.curvatures[0];
    const first = Math.max(0, epoch - BOWL_TRAIL);
    const errors = Float64Array.from(
      slopes.subarray(0, epoch + 1),
      (slope, i) =>
        (slope - analysis.bestWeights[0]) * analysis.sharpest[0] +
        (biases[i] - analysis.bestWeights[1]) * analysis.sharpest[1],
    );
    const heights = errors.map((error) => 0.5 * curvature * error ** 2);
    const style = runStyle(scene, entry);
    if (entry === scene.chosen) {
      for (let before = first; before < epoch; before++) {
        const path = this.pathThrough(errors.subarray(before), heights.subarray(before), 2);
        this.addLine(path, style, 1.5, (0.6 * (before - epoch + BOWL_TRAIL + 1)) / BOWL_TRAIL);
      }
      this.addNextStep(errors[epoch], heights[epoch], entry.rate * curvature, curvature);
    }
    this.addHead(errors, heights, epoch, style);
  }

  /**
   * Draw an arrow for the next step, and a dashed line from its tip to the bowl.
   * @param {number} error
   * @param {number} height
   * @param {number} part share of the error that the step subtracts
   * @param {number} curvature
   */
  addNextStep(error, height, part, curvature) {
    const next = error - part * error;
    const [x, y, to] = [this.xScale(error), this.yScale(height), this.xScale(next)];
    if (!Number.isFinite(to + y) || Math.abs(to - x) < 3) return;
    const [shown, tip, level] = this.clampMarker(to, y, to > x ? ">" : "<");
    addPath(this.lines, "step", `M${roundPixels(x)} ${roundPixels(y)}H${roundPixels(to)}`);
    if (shown === ">" || shown === "<")
      addPath(this.markers, "tip", markerPath(shown, tip, level, 4.5));
    const landing = this.yScale(0.5 * curvature * next ** 2);
    addPath(this.lines, "step", `M${roundPixels(to)} ${roundPixels(y)}V${roundPixels(landing)}`, {
      "stroke-dasharray": "2 2",
    });
  }
}
