/** Time: which epoch is shown how long after the start. Slow first steps, then a steady pace. */

import {
  FIRST_STEP_SECONDS,
  HOLD_SECONDS,
  LONG_RUN_SECONDS,
  MOST_MOMENTS,
  SLOW_START_DECAY,
  START_SECONDS,
  STEADY_PACE,
} from "./constants.js";

/**
 * The time in seconds at which each epoch ends to be shown.
 * @param {number} epochs
 */
export function endTimes(epochs) {
  let steady = 1 / STEADY_PACE;
  const firstExtra = FIRST_STEP_SECONDS - steady;
  const extra = Float64Array.from({ length: epochs + 1 }, (_, epoch) =>
    epoch ? firstExtra * Math.exp((1 - epoch) / SLOW_START_DECAY) : START_SECONDS - steady,
  );
  if (epochs > MOST_MOMENTS) {
    const slow = extra.reduce((sum, seconds) => sum + seconds);
    steady = (LONG_RUN_SECONDS - HOLD_SECONDS - slow) / (epochs + 1);
  }
  let time = 0;
  return extra.map((seconds) => {
    time += steady + seconds;
    return time;
  });
}

/** Plays from an epoch to the last; while it does not, no frame is asked for. */
export class Player {
  /**
   * @param {number} epochs
   * @param {(epoch: number) => void} show
   * @param {() => void} changed is called when playing begins or ends
   */
  constructor(epochs, show, changed) {
    this.epochs = epochs;
    this.endTimes = endTimes(epochs);
    this.show = show;
    this.changed = changed;
    this.frame = 0;
    this.isPlaying = false;
  }

  /** @param {number} from where to begin, or to begin anew from the end */
  toggle(from) {
    if (this.isPlaying) this.pause();
    else this.play(from === this.epochs ? 0 : from);
  }

  /** @param {number} from */
  play(from) {
    cancelAnimationFrame(this.frame);
    this.isPlaying = true;
    let epoch = from;
    let began = Number.NaN;
    this.show(epoch);
    /** @param {number} now */
    const step = (now) => {
      if (Number.isNaN(began)) began = now - 1000 * (from ? this.endTimes[from - 1] : 0);
      const before = epoch;
      while (epoch < this.epochs && (now - began) / 1000 >= this.endTimes[epoch]) epoch++;
      if (epoch !== before) this.show(epoch);
      if (epoch === this.epochs) this.pause();
      else this.frame = requestAnimationFrame(step);
    };
    this.frame = requestAnimationFrame(step);
    this.changed();
  }

  pause() {
    if (!this.isPlaying) return;
    cancelAnimationFrame(this.frame);
    this.isPlaying = false;
    this.changed();
  }
}
