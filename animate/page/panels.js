/**
 * The four panels. Each sets out what stands still when the data or its size change, and draws what
 * moves for a lesson at an epoch; it depends on nothing that was drawn before.
 */

import { lossOf } from "./descent.js";
import {
  add,
  dashes,
  draw,
  Frame,
  linear,
  markerPath,
  pixel,
  set,
  ticks,
  write,
} from "./drawing.js";

/**
 * One run as the panels see it: `slot` decides its looks.
 * @typedef {{
 *   slot: number, rate: number, run: import("./descent.js").Run,
 *   diagnosis: import("./descent.js").Diagnosis,
 * }} Entry
 *
 * @typedef {{
 *   data: import("./descent.js").Data, facts: import("./descent.js").Facts, home: number[],
 *   start: number[], trueWeights: number[] | null, epochs: number,
 *   styles: import("./drawing.js").Style[], entries: Entry[], chosen: Entry, epoch: number,
 * }} Lesson
 */

const [WIDE, THIN] = [3, 1.75]; // pixels, of the chosen run's line and of the others'
const HEAD = 5.5;
const TRAIL = 8;
const RINGS = 7;
const POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** @param {number} power */
function powerText(power) {
  if (Math.abs(power) <= 3) return String(Number((10 ** power).toPrecision(1)));
  return `10${power < 0 ? "⁻" : ""}${[...String(Math.abs(power))].map((digit) => POWERS[Number(digit)]).join("")}`;
}

/**
 * The entries in the order of drawing: the chosen one last, above the others.
 * @param {Lesson} lesson
 */
function ordered({ entries, chosen }) {
  return [...entries.filter((entry) => entry !== chosen), chosen];
}

/**
 * @param {Lesson} lesson
 * @param {Entry} entry
 */
function look({ styles, chosen }, entry) {
  const width = entry === chosen ? WIDE : THIN;
  const style = styles[entry.slot];
  return {
    marker: style[0],
    radius: entry === chosen ? HEAD * 1.15 : HEAD,
    color: `--color: var(--run${entry.slot})`,
    width,
    dash: dashes(style, width),
  };
}

class Panel extends Frame {
  /** @param {Lesson} lesson */
  draw(lesson) {
    this.moving.replaceChildren();
    this.heads.replaceChildren();
    for (const entry of ordered(lesson)) this.drawRun(lesson, entry);
  }

  /**
   * @param {Lesson} _lesson
   * @param {Entry} _entry
   */
  drawRun(_lesson, _entry) {}

  /**
   * Draw a run's line with its own width and dashes, or solid with the width given.
   * @param {string} path
   * @param {ReturnType<typeof look>} style
   * @param {number} [solid]
   * @param {number} [opacity]
   */
  line(path, style, solid = 0, opacity = 1) {
    draw(this.moving, "run", path, {
      style: style.color,
      opacity,
      "stroke-width": solid || style.width,
      "stroke-dasharray": solid ? "none" : style.dash,
    });
  }

  /**
   * @param {ArrayLike<number>} x
   * @param {ArrayLike<number>} y
   * @param {number} epoch
   * @param {ReturnType<typeof look>} style
   */
  head(x, y, epoch, style) {
    let last = epoch;
    while (last > 0 && !Number.isFinite(x[last] + y[last])) last--;
    const [shown, left, top] = this.atEdge(this.across(x[last]), this.up(y[last]), style.marker);
    const path = markerPath(last < epoch ? "X" : shown, left, top, style.radius);
    draw(this.heads, "head", path, { style: style.color });
  }
}

/** The data and each run's line; of the chosen run also the lines before. */
export class FitPanel extends Panel {
  /** @param {Lesson} lesson */
  setOut({ data, facts, home, trueWeights }) {
    const { right, top, bottom, left, em } = this.fit();
    const [low, high] = [Math.min(...data.x), Math.max(...data.x)];
    const margin = 0.06 * (high - low);
    this.ends = [low - margin, high + margin];
    const heights = [...data.y, ...this.ends.map((x) => home[0] * x + home[1])];
    const [floor, roof] = [Math.min(...heights), Math.max(...heights)];
    const swing = 0.35 * (roof - floor) || 1;
    this.linearAxes(this.ends, [floor - swing, roof + swing]);
    const points = this.trace(data.x, data.y, data.x.length, true);
    draw(this.still, "points", points);
    /** @type {[string, string, number[] | null][]} */
    const references = [
      ["best fit", "6 4", facts.best],
      ["true line", "1.5 3", trueWeights],
    ];
    const known = references.filter(([, , weights]) => weights);
    const falls = facts.best[0] < 0;
    known.forEach(([name, dash, weights], i) => {
      const d = this.lineAt(
        /** @type {number[]} */ (weights)[0],
        /** @type {number[]} */ (weights)[1],
      );
      draw(this.still, "reference", d, { "stroke-dasharray": dash });
      const y = bottom - (known.length - i - 0.4) * 1.25 * em;
      const x = falls ? left + 0.6 * em : right - 7 * em;
      draw(this.still, "reference", `M${x} ${y - 0.3 * em}h${1.8 * em}`, {
        "stroke-dasharray": dash,
      });
      write(this.still, "note", x + 2.2 * em, y, name);
    });
    this.middle = [(left + right) / 2, (top + bottom) / 2, top + 1.1 * em];
  }

  /**
   * @param {number} slope
   * @param {number} bias
   */
  lineAt(slope, bias) {
    const heights = this.ends?.map((x) => slope * x + bias) ?? [];
    return this.trace(this.ends ?? [], heights, 2);
  }

  /**
   * @param {Lesson} lesson
   * @param {Entry} entry
   */
  drawRun(lesson, entry) {
    const { slopes, biases } = entry.run;
    const style = look(lesson, entry);
    const { top, bottom } = this.box;
    const { epoch } = lesson;
    if (entry === lesson.chosen) {
      for (let before = Math.max(0, epoch - 4); before < epoch; before++) {
        const opacity = 0.15 + 0.1 * (4 - epoch + before);
        this.line(this.lineAt(slopes[before], biases[before]), style, 1.5, opacity);
      }
    }
    this.line(this.lineAt(slopes[epoch], biases[epoch]), style);
    const ends = /** @type {number[]} */ (this.ends);
    const place = ends[1] - (0.06 + 0.05 * entry.slot) * (ends[1] - ends[0]);
    const y = this.up(slopes[epoch] * place + biases[epoch]);
    if (y > top && y < bottom) {
      const path = markerPath(style.marker, this.across(place), y, style.radius);
      draw(this.heads, "head", path, { style: style.color });
    }
    const heights = ends.map((x) => this.up(slopes[epoch] * x + biases[epoch]));
    const out = Math.max(...heights) < top || Math.min(...heights) > bottom;
    if (out && entry === lesson.chosen) {
      const [x, , y] = /** @type {number[]} */ (this.middle);
      const arrow = heights[0] + heights[1] < top + bottom ? "▲" : "▼";
      write(this.heads, "lost", x, y, `${arrow} the line is out of view`, "middle");
    }
  }
}

/** The loss against the epoch on a log axis. */
export class LossPanel extends Panel {
  /** @param {Lesson} lesson */
  setOut({ data, facts, home, epochs }) {
    const { left, right, top, bottom, em } = this.fit();
    const first = Math.max(lossOf(data, home), 1e-12);
    const low = Math.log10(Math.max(facts.floor, 1e-6 * first));
    const high = Math.max(Math.log10(100 * first), low + 1);
    const bounds = [low - (high - low) * 0.14, high];
    const logarithm = linear(bounds, [bottom, top]);
    this.up = (/** @type {number} */ loss) => logarithm(Math.log10(loss));
    this.across = linear([-0.015 * epochs, 1.02 * epochs], [left, right]);
    const step = 1 + Math.floor((bounds[1] - bounds[0]) / ((bottom - top) / em / 2.2));
    /** @type {[number, string][]} */
    const powers = [];
    for (let power = Math.ceil(bounds[0]); power <= bounds[1]; power += step) {
      powers.push([logarithm(power), powerText(power)]);
    }
    const whole = ticks([0, epochs], Math.min(epochs, (right - left) / em / 5)).filter(
      Number.isInteger,
    );
    this.axes(
      whole.map((epoch) => [this.across(epoch), String(epoch)]),
      powers,
    );
    const floor = this.up(facts.floor);
    if (floor < bottom) {
      draw(this.still, "reference", `M${left} ${pixel(floor)}H${right}`, {
        "stroke-dasharray": "1.5 3",
      });
      write(this.still, "note", right - 0.3 * em, floor + 1.1 * em, "the best fit’s loss", "end");
    }
    this.numbers = Float64Array.from({ length: epochs + 1 }, (_, epoch) => epoch);
  }

  /** @param {Lesson} lesson */
  draw(lesson) {
    super.draw(lesson);
    const { left, right, bottom, top } = this.box;
    const now = pixel(this.across(lesson.epoch));
    if (now > left && now < right) draw(this.moving, "now", `M${now} ${top}V${bottom}`);
  }

  /**
   * @param {Lesson} lesson
   * @param {Entry} entry
   */
  drawRun(lesson, entry) {
    const { losses } = entry.run;
    const style = look(lesson, entry);
    const numbers = /** @type {Float64Array} */ (this.numbers);
    this.line(this.trace(numbers, losses, lesson.epoch + 1), style);
    this.head(numbers, losses, lesson.epoch, style);
    const { diagnosis } = entry;
    if (
      entry !== lesson.chosen ||
      diagnosis.verdict !== "diverging" ||
      lesson.epoch < diagnosis.earnedAt
    )
      return;
    let lowest = 0;
    for (let epoch = 1; epoch <= lesson.epochs; epoch++) {
      if (losses[epoch] < losses[lowest]) lowest = epoch;
    }
    if (lowest === 0 || lowest === lesson.epochs) return;
    const { left, right, em } = this.box;
    const [x, y] = [this.across(lowest), this.up(losses[lowest])];
    draw(this.heads, "ring", markerPath("o", x, y, HEAD));
    const late = x > (left + right) / 2;
    const side = late ? -0.9 : 0.9;
    write(
      this.heads,
      "note",
      x + side * em,
      y + 1.3 * em,
      `turns at epoch ${lowest}`,
      late ? "end" : "start",
    );
  }
}

/** The loss over both weights, as rings, with each run's way; the start can be dragged. */
export class SurfacePanel extends Panel {
  /** @param {string} id */
  constructor(id) {
    super(id);
    this.handle = /** @type {SVGGElement} */ (this.svg.querySelector(".handle"));
    this.heads.after(this.handle);
    /** @type {number[][]} */
    this.bounds = [
      [0, 1],
      [0, 1],
    ];
  }

  /** @param {Lesson} lesson */
  setOut({ facts, home, trueWeights }) {
    const { left, right, top, bottom, em } = this.fit();
    const [slope, bias] = facts.best;
    const shape = (bottom - top) / (right - left);
    const half = Math.max(
      1.9 * Math.abs(home[1] - bias),
      1.25 * Math.abs(home[0] - slope) * shape,
      0.1,
    );
    this.bounds = [
      [slope - half / shape, slope + half / shape],
      [bias - half, bias + half],
    ];
    this.linearAxes(this.bounds[0], this.bounds[1]);
    const [x, y] = [this.across(slope), this.up(bias)];
    const rings = add(this.still, "g", {
      "clip-path": this.moving.getAttribute("clip-path") ?? "",
    });
    this.still.prepend(rings);
    const [large, small] = facts.curvatures;
    const [along, beside] = facts.sharpest;
    const worst = Math.max(
      ...[1, -1].map((sign) => {
        const [dx, dy] = [half / shape, sign * half];
        return large * (along * dx + beside * dy) ** 2 + small * (beside * dx - along * dy) ** 2;
      }),
    );
    const scale = (right - left) / (this.bounds[0][1] - this.bounds[0][0]);
    const turn = (-Math.atan2(beside, along) * 180) / Math.PI;
    for (let ring = RINGS; ring > 0; ring--) {
      const reach = (Math.sqrt(worst) * ring * scale) / RINGS;
      add(rings, "ellipse", {
        class: "ring-fill",
        style: `--depth: ${Math.round(100 * (1 - ((ring - 1) / (RINGS - 1)) ** 0.7))}%`,
        rx: pixel(reach / Math.sqrt(large)),
        ry: pixel(reach / Math.sqrt(small)),
        transform: `translate(${pixel(x)} ${pixel(y)}) rotate(${turn.toFixed(2)})`,
      });
    }
    if (trueWeights) {
      const [left, top] = [this.across(trueWeights[0]), this.up(trueWeights[1])];
      draw(this.still, "plus", `M${pixel(left - 6)} ${pixel(top)}h12m-6 -6v12`);
      write(this.still, "note", left + 0.7 * em, top + 1.1 * em, "true");
    }
    draw(this.still, "place", markerPath("*", x, y, 7));
    write(this.still, "note", x + 0.7 * em, y - 0.5 * em, "best");
  }

  /** @param {Lesson} lesson */
  draw(lesson) {
    super.draw(lesson);
    const [x, y] = [this.across(lesson.start[0]), this.up(lesson.start[1])];
    const [, left, top] = this.atEdge(x, y, "");
    set(this.handle, { transform: `translate(${pixel(left)} ${pixel(top)})` });
  }

  /**
   * @param {Lesson} lesson
   * @param {Entry} entry
   */
  drawRun(lesson, entry) {
    const { slopes, biases } = entry.run;
    const style = look(lesson, entry);
    const count = lesson.epoch + 1;
    const isChosen = entry === lesson.chosen;
    this.line(this.trace(slopes, biases, count), style, isChosen ? 1.75 : 1);
    this.line(this.trace(slopes, biases, count, true), style, isChosen ? 5 : 3.5);
    if (lesson.epoch) this.head(slopes, biases, lesson.epoch, style);
  }

  /**
   * The weights at a place in the window, kept inside the axes.
   * @param {number} x
   * @param {number} y
   */
  weightsAt(x, y) {
    const { left: originX, top: originY } = this.svg.getBoundingClientRect();
    const { left, right, top, bottom } = this.box;
    const slope = linear(
      [left, right],
      this.bounds[0],
    )(Math.min(right, Math.max(left, x - originX)));
    const bias = linear(
      [bottom, top],
      this.bounds[1],
    )(Math.min(bottom, Math.max(top, y - originY)));
    return [slope, bias];
  }
}

/** The loss along the steepest direction, each run as a ball on it, and the chosen one's next step. */
export class BowlPanel extends Panel {
  /** @param {Lesson} lesson */
  setOut({ facts, home }) {
    const { left, right, top, em } = this.fit();
    const first =
      (home[0] - facts.best[0]) * facts.sharpest[0] + (home[1] - facts.best[1]) * facts.sharpest[1];
    const reach = 2.4 * (Math.abs(first) || 1);
    const roof = 0.5 * facts.curvatures[0] * reach ** 2;
    this.linearAxes([-reach, reach], [-0.09 * roof, 1.02 * roof]);
    const errors = Float64Array.from({ length: 121 }, (_, i) => (i / 60 - 1) * reach);
    const heights = errors.map((error) => 0.5 * facts.curvatures[0] * error ** 2);
    draw(this.still, "bowl", this.trace(errors, heights, errors.length));
    write(this.still, "", (left + right) / 2, top + em, "arrow: the next step", "middle");
  }

  /**
   * @param {Lesson} lesson
   * @param {Entry} entry
   */
  drawRun(lesson, entry) {
    const { facts, epoch } = lesson;
    const { slopes, biases } = entry.run;
    const steepness = facts.curvatures[0];
    const first = Math.max(0, epoch - TRAIL);
    const errors = Float64Array.from(
      slopes.subarray(0, epoch + 1),
      (slope, i) =>
        (slope - facts.best[0]) * facts.sharpest[0] +
        (biases[i] - facts.best[1]) * facts.sharpest[1],
    );
    const heights = errors.map((error) => 0.5 * steepness * error ** 2);
    const style = look(lesson, entry);
    if (entry === lesson.chosen) {
      for (let before = first; before < epoch; before++) {
        const path = this.trace(errors.subarray(before), heights.subarray(before), 2);
        this.line(path, style, 1.5, (0.6 * (before - epoch + TRAIL + 1)) / TRAIL);
      }
      this.nextStep(errors[epoch], heights[epoch], entry.rate * steepness, steepness);
    }
    this.head(errors, heights, epoch, style);
  }

  /**
   * Draw the arrow of the next step, and how it lands on the bowl.
   * @param {number} error
   * @param {number} height
   * @param {number} part of the error that a step takes away
   * @param {number} steepness
   */
  nextStep(error, height, part, steepness) {
    const goal = error - part * error;
    const [x, y, to] = [this.across(error), this.up(height), this.across(goal)];
    if (!Number.isFinite(to + y) || Math.abs(to - x) < 3) return;
    const [shown, tip, level] = this.atEdge(to, y, to > x ? ">" : "<");
    draw(this.moving, "step", `M${pixel(x)} ${pixel(y)}H${pixel(to)}`);
    if (shown === ">" || shown === "<") draw(this.heads, "tip", markerPath(shown, tip, level, 4.5));
    const landing = this.up(0.5 * steepness * goal ** 2);
    draw(this.moving, "step", `M${pixel(to)} ${pixel(y)}V${pixel(landing)}`, {
      "stroke-dasharray": "2 2",
    });
  }
}
