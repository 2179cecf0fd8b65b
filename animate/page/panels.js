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
  Layer,
  linearScale,
  markerPath,
  roundPixels,
  setAttributes,
  ticks,
} from "./drawing.js";

/** @import {Analysis, Data, Diagnosis, Optimizer, Run} from "./descent.js" */
/** @import {Style} from "./drawing.js" */
/** @import {RateScale} from "./rates.js" */

/**
 * A run with its diagnosis; `slot` selects its color and style.
 * @typedef {{
 *   slot: number, rate: number, run: Run,
 *   diagnosis: Diagnosis,
 * }} Entry
 *
 * What the reader has tried: `epochs` is null if the run did not converge, and `setting` names the
 * data and the optimizer.
 * @typedef {{
 *   rate: number, verdict: "converged" | "converging" | "diverging", epochs: number | null,
 *   setting: string, text: string,
 * }} Try
 *
 * All that the panels draw. `initialStart` sets their bounds, so that they stay when the start moves.
 * @typedef {{
 *   data: Data, analysis: Analysis,
 *   initialStart: number[], start: number[], trueWeights: number[] | null, epochs: number,
 *   styles: Style[], entries: Entry[], chosen: Entry, epoch: number,
 *   optimizer: Optimizer, isPlain: boolean, limit: number | null, setting: string,
 *   isPlaying: boolean, tries: Try[], isLimitKnown: boolean, isBestKnown: boolean,
 *   isTheoryShown: boolean, rates: RateScale,
 * }} Scene
 */

const [CHOSEN_WIDTH, OTHER_WIDTH] = [3, 1.75]; // pixels
const MARKER_RADIUS = 5.5; // pixels
const BOWL_TRAIL = 8; // epochs before the present one that are shown
const FIT_TRAIL = 4;
const CONTOURS = 7;
const GHOST_OPACITY = 0.4;
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
export function inDrawingOrder({ entries, chosen }) {
  return [...entries.filter((entry) => entry !== chosen), chosen];
}

/**
 * Return the color, marker and line of a run.
 * @param {Scene} scene
 * @param {Entry} entry
 */
export function runStyle({ styles, chosen }, entry) {
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

export class Panel extends Axes {
  /** @param {string} id */
  constructor(id) {
    super(id);
    this.lineLayer = new Layer(this.lines);
    this.markerLayer = new Layer(this.markers);
  }

  /** @param {Scene} scene */
  draw(scene) {
    this.lineLayer.begin();
    this.markerLayer.begin();
    for (const entry of inDrawingOrder(scene)) this.drawRun(scene, entry);
    this.drawMore(scene);
    this.lineLayer.end();
    this.markerLayer.end();
  }

  /**
   * @param {Scene} _scene
   * @param {Entry} _entry
   */
  drawRun(_scene, _entry) {}

  /** @param {Scene} _scene */
  drawMore(_scene) {}

  /**
   * Add a line in a run's style, or solid with the width `solid`.
   * @param {string} path
   * @param {ReturnType<typeof runStyle>} style
   * @param {{solid?: number, opacity?: number, className?: string}} [more]
   */
  addLine(path, style, { solid = 0, opacity = 1, className = "run" } = {}) {
    this.lineLayer.path(className, path, {
      style: style.color,
      opacity,
      "stroke-width": solid || style.width,
      "stroke-dasharray": solid ? "none" : style.dash,
    });
  }

  /**
   * Add what comes of the chosen run, faintly, so that a change shows at once while nothing plays.
   * @param {Scene} scene
   * @param {Entry} entry
   * @param {ArrayLike<number>} x
   * @param {ArrayLike<number>} y
   */
  addGhost(scene, entry, x, y) {
    if (scene.isPlaying || entry !== scene.chosen || scene.epoch === scene.epochs) return;
    const path = this.pathThrough(x, y, scene.epochs + 1);
    this.addLine(path, runStyle(scene, entry), { solid: 1.5, opacity: GHOST_OPACITY });
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
    this.markerLayer.path("head", path, { style: style.color });
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
        const path = this.linePath(slopes[before], biases[before]);
        this.addLine(path, style, { solid: 1.5, opacity });
      }
    }
    this.addLine(this.linePath(slopes[epoch], biases[epoch]), style);
    const ends = /** @type {number[]} */ (this.ends);
    const markerX = ends[1] - (0.06 + 0.05 * entry.slot) * (ends[1] - ends[0]);
    const y = this.yScale(slopes[epoch] * markerX + biases[epoch]);
    if (y > top && y < bottom) {
      const path = markerPath(style.marker, this.xScale(markerX), y, style.radius);
      this.markerLayer.path("head", path, { style: style.color });
    }
    const heights = ends.map((x) => this.yScale(slopes[epoch] * x + biases[epoch]));
    const isOutside = Math.max(...heights) < top || Math.min(...heights) > bottom;
    if (isOutside && entry === scene.chosen) {
      const [x, , y] = /** @type {number[]} */ (this.middle);
      const arrow = heights[0] + heights[1] < top + bottom ? "▲" : "▼";
      this.markerLayer.text("out-of-view", x, y, `${arrow} the line is out of view`, "middle");
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
  drawMore(scene) {
    const { left, right, bottom, top } = this.box;
    const now = roundPixels(this.xScale(scene.epoch));
    if (now > left && now < right) this.lineLayer.path("now", `M${now} ${top}V${bottom}`);
  }

  /**
   * @param {Scene} scene
   * @param {Entry} entry
   */
  drawRun(scene, entry) {
    const { losses } = entry.run;
    const style = runStyle(scene, entry);
    const numbers = /** @type {Float64Array} */ (this.numbers);
    this.addGhost(scene, entry, numbers, losses);
    this.addLine(this.pathThrough(numbers, losses, scene.epoch + 1), style);
    this.addHead(numbers, losses, scene.epoch, style);
    const { diagnosis } = entry;
    const isKnown = scene.epoch >= diagnosis.verdictEpoch;
    if (entry === scene.chosen && diagnosis.verdict === "diverging" && isKnown)
      this.addTurn(scene, losses);
  }

  /**
   * Mark the epoch from which the loss of the chosen run rises.
   * @param {Scene} scene
   * @param {Float32Array} losses
   */
  addTurn(scene, losses) {
    const lowest = losses.indexOf(Math.min(...losses.filter(Number.isFinite)));
    if (lowest <= 0 || lowest === scene.epochs) return;
    const { em } = this.box;
    const [x, y] = [this.xScale(lowest), this.yScale(losses[lowest])];
    const text = `turns at epoch ${lowest}`;
    const [left, top, anchor] = this.freePlace(scene, x, y, 0.55 * em * text.length);
    const [toX, toY] = [left + (anchor === "start" ? -2 : 2), top - 0.35 * em];
    const leader = `M${roundPixels(x)} ${roundPixels(y)}L${roundPixels(toX)} ${roundPixels(toY)}`;
    this.markerLayer.path("leader", leader);
    this.markerLayer.path("ring", markerPath("o", x, y, MARKER_RADIUS));
    this.markerLayer.text("note", left, top, text, anchor);
  }

  /**
   * Return the place beside a point for a text over which the fewest points of the runs lie.
   * @param {Scene} scene
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @returns {[number, number, "start" | "end"]}
   */
  freePlace({ entries, epoch }, x, y, width) {
    const { left, right, top, bottom, em } = this.box;
    const numbers = /** @type {Float64Array} */ (this.numbers);
    /** @type {[number, number, "start" | "end"]} */
    let best = [x + 0.9 * em, y + 1.3 * em, "start"];
    let fewest = Number.POSITIVE_INFINITY;
    for (const down of [1.5, 2.8, -1.2, -2.5, -4, -6]) {
      for (const side of [0.9, 3, -0.9]) {
        const [place, baseline] = [x + side * em, y + down * em];
        const [low, high] = side > 0 ? [place, place + width] : [place - width, place];
        if (low < left || high > right || baseline - em < top || baseline > bottom) continue;
        let covered = 0;
        for (const { run } of entries) {
          for (let i = 0; i < epoch; i++) {
            for (const part of [0, 0.25, 0.5, 0.75]) {
              const at = this.xScale(numbers[i] + part);
              const height = this.yScale(run.losses[i] ** (1 - part) * run.losses[i + 1] ** part);
              const isInside = at > low - 4 && at < high + 4;
              if (isInside && height > baseline - em - 3 && height < baseline + 5) covered++;
            }
          }
        }
        if (covered < fewest) {
          fewest = covered;
          best = [place, baseline, side > 0 ? "start" : "end"];
        }
      }
    }
    return best;
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
  drawMore(scene) {
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
    this.addGhost(scene, entry, slopes, biases);
    this.addLine(this.pathThrough(slopes, biases, count), style, { solid: isChosen ? 1.75 : 1 });
    this.addLine(this.pathThrough(slopes, biases, count, true), style, {
      solid: isChosen ? 5 : 3.5,
      className: "run dots",
    });
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

/**
 * The loss along the steepest direction, each run as a marker on it, and the chosen run's next step.
 * While it plays, the last steps of the chosen run are drawn; at rest, all.
 */
export class BowlPanel extends Panel {
  /** @param {Scene} scene */
  layOut({ analysis, initialStart }) {
    const { left, right, top, bottom, em } = this.resize(1.2);
    const first =
      (initialStart[0] - analysis.bestWeights[0]) * analysis.sharpest[0] +
      (initialStart[1] - analysis.bestWeights[1]) * analysis.sharpest[1];
    const reach = 2.4 * (Math.abs(first) || 1);
    const highest = 0.5 * analysis.curvatures[0] * reach ** 2;
    this.drawLinearAxes([-reach, reach], [-0.09 * highest, 1.02 * highest]);
    const errors = Float64Array.from({ length: 121 }, (_, i) => (i / 60 - 1) * reach);
    const heights = errors.map((error) => 0.5 * analysis.curvatures[0] * error ** 2);
    addPath(this.background, "bowl", this.pathThrough(errors, heights, errors.length));
    const middle = (left + right) / 2;
    this.caption = [middle, top + em];
    const name = right - left < 21 * em ? "error, steepest axis" : "error along the steepest axis";
    addText(this.background, "", middle, bottom + 2.4 * em, name, "middle");
  }

  /**
   * @param {Scene} scene
   * @param {Entry} entry
   */
  drawRun(scene, entry) {
    const { analysis, epoch } = scene;
    const { slopes, biases } = entry.run;
    const curvature = analysis.curvatures[0];
    const errors = Float64Array.from(
      slopes,
      (slope, i) =>
        (slope - analysis.bestWeights[0]) * analysis.sharpest[0] +
        (biases[i] - analysis.bestWeights[1]) * analysis.sharpest[1],
    );
    const heights = errors.map((error) => 0.5 * curvature * error ** 2);
    const style = runStyle(scene, entry);
    if (entry === scene.chosen) {
      this.addGhost(scene, entry, errors, heights);
      const first = scene.isPlaying ? Math.max(0, epoch - BOWL_TRAIL) : 0;
      const [x, y] = [errors, heights].map((values) => values.subarray(first));
      const count = epoch - first + 1;
      this.addLine(this.pathThrough(x, y, count), style, { solid: 1.75, opacity: 0.7 });
      this.addLine(this.pathThrough(x, y, count, true), style, { solid: 5, className: "run dots" });
      // Past the end, the step of plain descent is known.
      const next = errors[epoch + 1] ?? (1 - entry.rate * curvature) * errors[epoch];
      if (epoch < scene.epochs || scene.isPlain)
        this.addNextStep(errors[epoch], heights[epoch], next, curvature);
    }
    this.addHead(errors, heights, epoch, style);
  }

  drawMore() {
    const [x, y] = /** @type {number[]} */ (this.caption);
    this.markerLayer.text("note", x, y, "arrow: the next step", "middle");
  }

  /**
   * Draw an arrow to the error after a step, and a dashed line from its tip to the bowl.
   * @param {number} error
   * @param {number} height
   * @param {number} next
   * @param {number} curvature
   */
  addNextStep(error, height, next, curvature) {
    const [x, y, to] = [this.xScale(error), this.yScale(height), this.xScale(next)];
    if (!Number.isFinite(to + y) || Math.abs(to - x) < 3) return;
    const [shown, tip, level] = this.clampMarker(to, y, to > x ? ">" : "<");
    this.lineLayer.path("step", `M${roundPixels(x)} ${roundPixels(y)}H${roundPixels(to)}`);
    if (shown === ">" || shown === "<")
      this.markerLayer.path("tip", markerPath(shown, tip, level, 4.5));
    const landing = this.yScale(0.5 * curvature * next ** 2);
    this.lineLayer.path("step", `M${roundPixels(to)} ${roundPixels(y)}V${roundPixels(landing)}`, {
      "stroke-dasharray": "2 2",
    });
  }
}
