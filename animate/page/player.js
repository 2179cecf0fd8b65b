/** Playback: slow first steps, then a steady pace, as in the film. */

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
 * Return the seconds from the start until each epoch stops being shown.
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

/** Plays from an epoch to the last. Requests animation frames only while it plays. */
export class Player {
  /**
   * @param {number} epochs
   * @param {(epoch: number) => void} onEpoch called with each epoch to show
   * @param {() => void} onChange called when playing begins or ends
   */
  constructor(epochs, onEpoch, onChange) {
    this.epochs = epochs;
    this.endTimes = endTimes(epochs);
    this.onEpoch = onEpoch;
    this.onChange = onChange;
    this.request = 0;
    this.isPlaying = false;
  }

  /** @param {number} from first epoch to play; from the last, it plays all */
  toggle(from) {
    if (this.isPlaying) this.pause();
    else this.play(from === this.epochs ? 0 : from);
  }

  /** @param {number} from */
  play(from) {
    cancelAnimationFrame(this.request);
    this.isPlaying = true;
    let epoch = from;
    let startTime = Number.NaN;
    this.onEpoch(epoch);
    /** @param {number} now */
    const step = (now) => {
      if (Number.isNaN(startTime)) startTime = now - 1000 * (from ? this.endTimes[from - 1] : 0);
      const previous = epoch;
      while (epoch < this.epochs && (now - startTime) / 1000 >= this.endTimes[epoch]) epoch++;
      if (epoch !== previous) this.onEpoch(epoch);
      if (epoch === this.epochs) this.pause();
      else this.request = requestAnimationFrame(step);
    };
    this.request = requestAnimationFrame(step);
    this.onChange();
  }

  pause() {
    if (!this.isPlaying) return;
    cancelAnimationFrame(this.request);
    this.isPlaying = false;
    this.onChange();
  }
}
