/** The slider's scale, and epochs against the learning rate, filled in as the reader tries. */

import { diagnose, trainByHessian } from "./descent.js";
import { addPath, addText, linearScale, markerPath, roundPixels } from "./drawing.js";
import { countText, rateText } from "./numbers.js";
import { inDrawingOrder, Panel, runStyle } from "./panels.js";

/** @import {Entry, Scene, Try} from "./panels.js" */

/**
 * Positions from 0 to 1 of learning rates, logarithmic in three parts: half of the way is for the
 * decade in which training breaks.
 * @typedef {{
 *   lowest: number, highest: number, labels: number[], positionOf: (rate: number) => number,
 *   rateAt: (position: number) => number,
 * }} RateScale
 */

const KNOTS = [0, 0.3, 0.8, 1];
const THEORY_RATES = 240;
const FOUND_WITHIN = 0.03; // relative
const MARK_RADIUS = 4.5; // pixels

/**
 * Return the scale for data with this stability limit.
 * @param {number} limit
 * @returns {RateScale}
 */
export function rateScale(limit) {
  const low = Number((limit / 5).toPrecision(1));
  const ends = [low / 20, low, 10 * low, 25 * low].map((rate) => Number(rate.toPrecision(3)));
  const logs = ends.map(Math.log);
  const [lowest, highest] = [ends[0], ends[3]];
  /**
   * @param {number} value
   * @param {number[]} from
   * @param {number[]} to
   */
  const convert = (value, from, to) => {
    const part = value < from[1] ? 0 : value < from[2] ? 1 : 2;
    return linearScale([from[part], from[part + 1]], [to[part], to[part + 1]])(value);
  };
  return {
    lowest,
    highest,
    labels: [lowest, low, 2.5 * low, 5 * low, 10 * low, highest].map((rate) =>
      Number(rate.toPrecision(3)),
    ),
    positionOf: (rate) => Math.max(0, Math.min(1, convert(Math.log(rate), logs, KNOTS))),
    rateAt: (position) => Number(Math.exp(convert(position, KNOTS, logs)).toPrecision(3)),
  };
}

/**
 * Return the largest rate known to hold and the smallest known to break, of tries of one setting.
 * @param {Try[]} tries
 */
export function bracket(tries) {
  const breaks = tries.filter(({ verdict }) => verdict === "diverging").map(({ rate }) => rate);
  const holds = tries.filter(({ verdict }) => verdict !== "diverging").map(({ rate }) => rate);
  return [Math.max(0, ...holds), Math.min(Number.POSITIVE_INFINITY, ...breaks)];
}

/**
 * Return whether tries of one setting have found its limit, up to 3 %.
 * @param {Try[]} tries
 */
export function isLimitFound(tries) {
  const [holds, breaks] = bracket(tries);
  return breaks <= (1 + FOUND_WITHIN) * holds;
}

/**
 * Return whether tries of one setting have found the fastest rate, up to 3 %.
 * @param {Try[]} tries
 * @param {number} bestRate
 */
export function isBestFound(tries, bestRate) {
  return tries.some(({ rate }) => Math.abs(rate / bestRate - 1) <= FOUND_WITHIN);
}

/** A dot for every rate tried; rows at the top hold those that did not arrive. */
export class RatesPanel extends Panel {
  /** @type {{key: string, path: string} | null} */
  theory = null;

  /** @param {Scene} scene */
  layOut({ epochs, rates }) {
    const { left, right, top, bottom, em } = this.resize(1.2);
    const inside = top + 3.2 * em;
    const logScale = linearScale([0, Math.log(Math.max(epochs, 2))], [bottom - 0.5 * em, inside]);
    this.yScale = (/** @type {number} */ epoch) => logScale(Math.log(Math.max(epoch, 1)));
    this.xScale = (/** @type {number} */ rate) => left + (right - left) * rates.positionOf(rate);
    this.rows = { converging: top + 2 * em, diverging: top + 0.8 * em };
    const powers = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
    const shown = powers.filter(
      (power) => power <= epochs && (bottom - top > 12 * em || /^10*$/.test(String(power))),
    );
    const few = right - left < 24 * em;
    const labels = rates.labels.filter((_, i) => !few || i % 2 || !i);
    this.drawAxes(
      labels.map((rate) => [this.xScale(rate), rateText(rate)]),
      shown.map((epoch) => [this.yScale(epoch), String(epoch)]),
    );
    addText(this.background, "", left - 0.4 * em, this.rows.converging + 0.35 * em, "later", "end");
    addText(this.background, "", left - 0.4 * em, this.rows.diverging + 0.35 * em, "never", "end");
    addPath(this.background, "grid", `M${left} ${roundPixels(top + 2.6 * em)}H${right}`);
    const middle = (left + right) / 2;
    addText(this.background, "", middle, bottom + 2.4 * em, "learning rate", "middle");
  }

  /** @param {Scene} scene */
  drawMore(scene) {
    const { top, bottom, left, right, em } = this.box;
    const { analysis, limit, rates, optimizer } = scene;
    if (scene.isTheoryShown && !optimizer.batchSize) {
      const key = [analysis, scene.start, optimizer, this.box]
        .map((one) => JSON.stringify(one))
        .join();
      if (this.theory?.key !== key) this.theory = { key, path: this.theoryPath(scene) };
      this.lineLayer.path("theory", this.theory.path);
    }
    /** @type {[boolean, number | null, string][]} */
    const marks = [
      [scene.isLimitKnown, limit, "limit"],
      [scene.isBestKnown && scene.isPlain, analysis.bestRate, "fastest"],
    ];
    for (const [isKnown, rate, name] of marks) {
      if (!isKnown || rate === null || rate < rates.lowest || rate > rates.highest) continue;
      const x = this.xScale(rate);
      this.lineLayer.path("reference", `M${roundPixels(x)} ${top}V${bottom}`, {
        "stroke-dasharray": "1.5 3",
      });
      const isLeft = name === "fastest" ? x > left + 5 * em : x > right - 4 * em;
      const y = bottom - (name === "fastest" ? 0.6 : 1.9) * em;
      this.markerLayer.text("note", x + (isLeft ? -4 : 4), y, name, isLeft ? "end" : "start");
    }
    const { setting, tries } = scene;
    for (const one of tries) {
      const path = markerPath("o", this.xScale(one.rate), this.heightOf(one), MARK_RADIUS);
      this.markerLayer.path(one.setting === setting ? "try" : "try other", path);
    }
    for (const entry of inDrawingOrder(scene)) {
      if (scene.isPlaying && scene.epoch < entry.diagnosis.verdictEpoch) continue;
      const style = runStyle(scene, entry);
      const { verdict, convergedAt } = entry.diagnosis;
      const y = this.heightOf({ verdict, epochs: convergedAt });
      const path = markerPath(style.marker, this.xScale(entry.rate), y, style.radius);
      this.markerLayer.path("head", path, { style: style.color });
    }
  }

  /** @param {Pick<Try, "verdict" | "epochs">} one */
  heightOf({ verdict, epochs }) {
    if (epochs !== null) return this.yScale(epochs);
    return verdict === "diverging" ? (this.rows?.diverging ?? 0) : (this.rows?.converging ?? 0);
  }

  /**
   * Return the path of the epochs to converge at every rate of the scale, from the Hessian alone.
   * @param {Scene} scene
   */
  theoryPath({ analysis, rates, start, epochs, optimizer }) {
    const some = Array.from({ length: THEORY_RATES }, (_, i) =>
      Math.exp(
        Math.log(rates.lowest) + (i / (THEORY_RATES - 1)) * Math.log(rates.highest / rates.lowest),
      ),
    );
    const counts = some.map((rate) => {
      const run = trainByHessian(analysis, rate, start, epochs, optimizer);
      return diagnose(rate, run, analysis, optimizer).convergedAt ?? Number.NaN;
    });
    return this.pathThrough(some, counts, some.length);
  }
}

/**
 * Return a try of a run, for the log and the chart.
 * @param {Entry} entry
 * @param {string} setting
 * @returns {Try}
 */
export function tryOf({ rate, diagnosis }, setting) {
  const { verdict, convergedAt: epochs } = diagnosis;
  const text =
    epochs === null
      ? { diverging: "diverges", converging: "not there yet", converged: "" }[verdict]
      : `there after ${countText(epochs, "epoch")}`;
  return { rate, verdict, epochs, setting, text };
}
