/** Panels with two axes of equal scale: regions of classes, and the loss in a plane of weights. */

import {
  addElement,
  addPath,
  addText,
  markerPath,
  roundPixels,
  setAttributes,
} from "../drawing.js";
import { coordinateText, valueText } from "../numbers.js";
import { Panel, setColors } from "./charts.js";
import { countUntil, floatsOf, imagesOf, momentNumber } from "./decode.js";

const SIDE = 1000; // units of the height of the axes, as in recorded/encoding.py
const SHADE = 0.5; // of the highest loss, from the panel's colour to that of text
const DOT_GAP = 0.75; // em
const NEAR = 24; // pixels, at which a point of a path is read
const SMOOTHINGS = 12; // of the edge of a region, each over three corners

/**
 * The lines through a square of which some corners are inside, by the sum of these: 1 upper left, 2
 * upper right, 4 lower right, 8 lower left. A line goes from an edge to an edge, with what is inside
 * on its right: 0 top, 1 right, 2 bottom, 3 left.
 */
const SEGMENTS = [
  [],
  [[0, 3]],
  [[1, 0]],
  [[1, 3]],
  [[2, 1]],
  [
    [0, 3],
    [2, 1],
  ],
  [[2, 0]],
  [[2, 3]],
  [[3, 2]],
  [[0, 2]],
  [
    [1, 0],
    [3, 2],
  ],
  [[1, 2]],
  [[3, 1]],
  [[0, 1]],
  [[3, 0]],
  [],
];

/**
 * Return the path around the pixels of one class, in pixels of the image.
 * @param {Uint8Array} image
 * @param {number} columns
 * @param {number} rows
 * @param {number} kind
 */
export function outline(image, columns, rows, kind) {
  // Two more pixels on each side: the first repeats the edge, the second has no class, so that each
  // line is closed outside of the image.
  const [wide, high] = [columns + 4, rows + 4];
  const field = new Float32Array(wide * high);
  const inside = (/** @type {number} */ at, /** @type {number} */ most) =>
    Math.max(0, Math.min(most - 1, at));
  for (let row = 1; row < high - 1; row++) {
    for (let column = 1; column < wide - 1; column++) {
      const pixel = inside(row - 2, rows) * columns + inside(column - 2, columns);
      field[row * wide + column] = Number(image[pixel] === kind);
    }
  }
  return contour(field, wide, high);
}

/**
 * Return the closed lines around where a field exceeds one half, as a path (marching squares).
 * @param {Float32Array} field
 * @param {number} wide
 * @param {number} high
 */
function contour(field, wide, high) {
  /** @type {Map<number, number>} from each crossed edge of the grid to the next on its line */
  const next = new Map();
  for (let row = 0; row < high - 1; row++) {
    for (let column = 0; column < wide - 1; column++) {
      const at = row * wide + column;
      const code =
        Number(field[at] > 0.5) +
        2 * Number(field[at + 1] > 0.5) +
        4 * Number(field[at + wide + 1] > 0.5) +
        8 * Number(field[at + wide] > 0.5);
      if (code === 0 || code === 15) continue;
      const edges = [2 * at, 2 * (at + 1) + 1, 2 * (at + wide), 2 * at + 1];
      for (const [from, to] of SEGMENTS[code]) next.set(edges[from], edges[to]);
    }
  }
  let path = "";
  for (const [start] of next) {
    if (!next.has(start)) continue;
    const line = [];
    for (let edge = start; next.has(edge); ) {
      line.push(crossing(field, wide, edge));
      const after = /** @type {number} */ (next.get(edge));
      next.delete(edge);
      edge = after;
    }
    path += `M${smooth(line)
      .map(([x, y]) => `${hundredths(x)} ${hundredths(y)}`)
      .join("L")}z`;
  }
  return path;
}

/**
 * Return a closed line without the steps of its pixels. No corner moves by more than half a pixel.
 * @param {number[][]} line
 */
function smooth(line) {
  let shown = line;
  for (let pass = 0; pass < SMOOTHINGS; pass++) {
    const [before, count] = [shown, shown.length];
    shown = before.map((corner, i) =>
      corner.map((own, axis) => {
        const others = before[(i + count - 1) % count][axis] + before[(i + 1) % count][axis];
        return Math.max(line[i][axis] - 0.5, Math.min(line[i][axis] + 0.5, own / 2 + others / 4));
      }),
    );
  }
  return shown;
}

/** @param {number} value */
function hundredths(value) {
  return Math.round(value * 100) / 100;
}

/**
 * Return where a field is one half on an edge of the grid, in pixels of the image.
 * @param {Float32Array} field
 * @param {number} wide
 * @param {number} edge
 */
function crossing(field, wide, edge) {
  const at = edge >> 1;
  const isDown = edge & 1;
  const [one, two] = [field[at], field[at + (isDown ? wide : 1)]];
  const share = (0.5 - one) / (two - one);
  const column = (at % wide) - 1.5 + (isDown ? 0 : share);
  const row = Math.floor(at / wide) - 1.5 + (isDown ? share : 0);
  return [column, row];
}

/** The regions in which the model of one run prefers each class, with the data. */
export class BoundaryPanel extends Panel {
  /**
   * @param {import("./charts.js").View} view
   * @param {number} run
   * @param {import("./charts.js").Show} show
   */
  constructor(view, run, show) {
    super(view, run, show);
    this.own = run;
    this.images = imagesOf(view.images[run], view.columns * view.rows, view.classes);
    /** @type {string[][]} outlines of the classes but the first, by record */
    this.outlines = [];
    /** @type {number | null} the record that is drawn */
    this.drawn = null;
  }

  resize() {
    if (!super.resize()) return false;
    this.drawBox();
    const { left, right, top, bottom, em } = this.box;
    const transform = `translate(${left} ${top}) scale(${(right - left) / this.view.columns} ${(bottom - top) / this.view.rows})`;
    const regions = addElement(this.inside, "g", { transform });
    this.regions = this.view.shades.map((/** @type {number} */ shade) =>
      addPath(regions, "region", "", { "fill-opacity": shade }),
    );
    const points = floatsOf(this.view.points);
    for (let i = 0; i < points.length; i += 3) {
      const [marker, isFilled] = this.view.markers[points[i + 2]];
      const [x, y] = [this.x(points[i]), this.y(points[i + 1])];
      const d = markerPath(marker, x, y, 0.24 * em);
      addPath(this.inside, isFilled ? "datum filled" : "datum", d);
    }
    const edges = addElement(this.lines, "g", { transform });
    this.edges = this.view.shades.map(() =>
      addPath(edges, "run", "", {
        "stroke-width": this.pixels(0.22),
        "vector-effect": "non-scaling-stroke",
      }),
    );
    this.drawn = null;
    return true;
  }

  draw() {
    const record = this.recordOf(this.own);
    if (record !== this.drawn) {
      this.drawn = record;
      const { columns, rows, shades } = this.view;
      if (record >= 0)
        this.outlines[record] ??= shades.map((/** @type {number} */ _, /** @type {number} */ i) =>
          outline(this.images[record], columns, rows, i + 1),
        );
      for (const paths of [this.regions, this.edges])
        paths?.forEach((/** @type {SVGElement} */ path, /** @type {number} */ i) => {
          path.setAttribute("d", record < 0 ? "" : this.outlines[record][i]);
        });
    }
    this.describe(record < 0 ? "" : this.shares(this.images[record]));
  }

  /** Return how much of the panel each class has. @param {Uint8Array} image */
  shares(image) {
    const counts = new Array(this.view.classes).fill(0);
    for (const kind of image) counts[kind]++;
    return counts
      .map((count, kind) => `class ${kind} in ${Math.round((100 * count) / image.length)} %`)
      .join(", ");
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {import("./charts.js").Reading | null}
   */
  read(x, y) {
    const { left, right, top, bottom } = this.box;
    const record = this.recordOf(this.own);
    if (record < 0 || x < left || x >= right || y < top || y >= bottom) return null;
    const { columns, rows, box } = this.view;
    const column = Math.floor((columns * (x - left)) / (right - left));
    const row = Math.floor((rows * (y - top)) / (bottom - top));
    const at = [
      box[0] + ((box[1] - box[0]) * (x - left)) / (right - left),
      box[3] - ((box[3] - box[2]) * (y - top)) / (bottom - top),
    ];
    const text = `class ${this.images[record][row * columns + column]}`;
    return {
      x,
      y,
      title: `(${at.map(coordinateText).join(", ")})`,
      rows: [{ run: this.own, text }],
    };
  }
}

/** The loss in a plane of weights, with the paths of all runs. */
export class PlanePanel extends Panel {
  /**
   * @param {import("./charts.js").View} view
   * @param {null} run
   * @param {import("./charts.js").Show} show
   */
  constructor(view, run, show) {
    super(view, run, show);
    this.addKey();
    /** @type {Path[]} */
    this.paths = [];
  }

  addKey() {
    const { bands, ends } = this.view;
    const key = document.createElement("span");
    key.className = "key";
    const svg = addElement(key, "svg", {
      viewBox: `0 0 ${10 * bands.length} 8`,
      "aria-hidden": "true",
    });
    svg.classList.add("bands");
    bands.forEach((/** @type {string} */ _, /** @type {number} */ i) => {
      const band = addElement(svg, "rect", { class: "band", x: 10 * i, width: 10, height: 8 });
      band.style.setProperty("--share", this.shade(i));
    });
    key.prepend(`loss ${ends[0]}`);
    key.append(ends[1]);
    this.caption.append(key);
  }

  /** @param {number} band */
  shade(band) {
    return `${roundPixels((100 * SHADE * band) / (this.view.bands.length - 1))}%`;
  }

  resize() {
    if (!super.resize()) return false;
    const { left, top, bottom, em } = this.box;
    const transform = `translate(${left} ${top}) scale(${(bottom - top) / SIDE})`;
    const bands = addElement(this.inside, "g", { transform });
    this.view.bands.forEach((/** @type {string} */ d, /** @type {number} */ i) => {
      const band = addPath(bands, "band", d, { "vector-effect": "non-scaling-stroke" });
      band.style.setProperty("--share", this.shade(i));
    });
    this.drawBox();
    this.paths = this.view.paths.map((/** @type {any} */ one, /** @type {number} */ run) =>
      this.makePath(one, run),
    );
    const starts = this.paths.map(({ xs, ys }) => [xs[0], ys[0]]);
    const isOne = starts.every(([x, y]) => Math.hypot(x - starts[0][0], y - starts[0][1]) < 1);
    if (isOne)
      addText(this.heads, "note", starts[0][0] + 0.7 * em, starts[0][1] + 1.3 * em, "start");
    return true;
  }

  /**
   * @typedef {object} Path
   * @property {number[]} times
   * @property {Float32Array} losses
   * @property {number[]} xs pixels
   * @property {number[]} ys
   * @property {SVGElement} group
   * @property {SVGElement} line
   * @property {SVGElement} head
   * @property {[number, SVGElement][]} dots with the index of their points
   */

  /**
   * @param {any} one
   * @param {number} run
   * @returns {Path}
   */
  makePath(one, run) {
    one.decoded ??= [floatsOf(one.points), floatsOf(one.losses)];
    const [points, losses] = one.decoded;
    const group = addElement(this.heads, "g");
    setColors(group, this.show.runs[run]);
    const clipped = addElement(group, "g", {
      "clip-path": this.lines.getAttribute("clip-path") ?? "",
    });
    const line = addPath(clipped, "run", "", { "stroke-width": this.pixels(0.14) });
    const [xs, ys] = [0, 1].map((axis) =>
      Array.from({ length: losses.length }, (_, i) =>
        (axis ? this.y : this.x)(points[2 * i + axis]),
      ),
    );
    /** @type {[number, SVGElement][]} */
    const dots = [];
    let before = [Number.NaN, Number.NaN];
    for (let i = 0; i < xs.length; i++) {
      if (!Number.isFinite(xs[i] + ys[i])) continue;
      if (Math.hypot(xs[i] - before[0], ys[i] - before[1]) < DOT_GAP * this.box.em) continue;
      before = [xs[i], ys[i]];
      const dot = addPath(clipped, "dot", markerPath("o", xs[i], ys[i], 0.26 * this.box.em));
      dot.style.setProperty("--share", this.shade(this.band(losses[i])));
      dots.push([i, dot]);
    }
    const head = addPath(group, "head", "");
    return {
      times: one.times ?? this.show.runs[run].times,
      losses,
      xs,
      ys,
      group,
      line,
      head,
      dots,
    };
  }

  /** Return the band of a loss. @param {number} loss */
  band(loss) {
    const { edges, bands } = this.view;
    if (Number.isNaN(loss)) return bands.length - 1;
    return Math.max(0, Math.min(bands.length - 1, countUntil(edges, loss) - 1));
  }

  draw() {
    const { now, hidden, runs } = this.show;
    const words = this.paths.map((path, run) => {
      const count = hidden.has(run) ? 0 : countUntil(path.times, now);
      setAttributes(path.group, { display: count ? "inline" : "none" });
      if (!count) return "";
      let [d, pen, last] = ["", "M", -1];
      for (let i = 0; i < count; i++) {
        if (!Number.isFinite(path.xs[i] + path.ys[i])) {
          pen = "M";
          continue;
        }
        d += `${pen}${roundPixels(path.xs[i])} ${roundPixels(path.ys[i])}`;
        [pen, last] = ["L", i];
      }
      path.line.setAttribute("d", d);
      for (const [i, dot] of path.dots)
        dot.setAttribute("display", i < count - 1 ? "inline" : "none");
      path.head.setAttribute("d", last < 0 ? "" : this.headPath(path, last, count - 1, run));
      return `${runs[run].name} loss ${valueText(path.losses[count - 1])}`;
    });
    this.describe(words.filter(Boolean).join(", "));
  }

  /**
   * @param {Path} path
   * @param {number} last
   * @param {number} index
   * @param {number} run
   */
  headPath(path, last, index, run) {
    const { left, right, top, bottom, em } = this.box;
    let marker = this.show.runs[run].style[0];
    const [x, y] = [path.xs[last], path.ys[last]];
    if (x < left) marker = "<";
    if (x > right) marker = ">";
    if (y < top) marker = "^";
    if (y > bottom) marker = "v";
    if (last < index) marker = "X";
    const [inX, inY] = [Math.min(right, Math.max(left, x)), Math.min(bottom, Math.max(top, y))];
    return markerPath(marker, inX, inY, 0.4 * em);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {import("./charts.js").Reading | null}
   */
  read(x, y) {
    const { now, hidden, runs, unit } = this.show;
    let [nearest, run, i] = [NEAR, -1, -1];
    this.paths.forEach((path, other) => {
      const count = hidden.has(other) ? 0 : countUntil(path.times, now);
      for (let point = 0; point < count; point++) {
        const distance = Math.hypot(path.xs[point] - x, path.ys[point] - y);
        if (distance <= nearest) [nearest, run, i] = [distance, other, point];
      }
    });
    this.cursor.replaceChildren();
    if (run < 0) return null;
    const path = this.paths[run];
    addPath(this.cursor, "ring", markerPath("o", path.xs[i], path.ys[i], 0.5 * this.box.em));
    return {
      x: path.xs[i],
      y: path.ys[i],
      title: `${unit} ${momentNumber(path.times[i])}`,
      rows: [{ run, text: `${runs[run].name}: loss ${valueText(path.losses[i])}` }],
    };
  }
}
