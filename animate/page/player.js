/** Time: which epoch is shown how long after the start. Slow first steps, then a steady pace. */

const START = 1; // seconds that the start stands before the first step
const FIRST_STEP = 0.48; // seconds; each later step is quicker
const SLOW_STEPS = 9; // epochs in which the extra time of a step falls to 1/e
const STEADY = 1 / 25; // seconds an epoch once the slow start is over
const LONGEST = 11.6; // seconds that a run takes which has too many epochs to show each

/**
 * The time in seconds at which each epoch ends to be shown.
 * @param {number} epochs
 */
export function ends(epochs) {
  /** @param {number} epoch */
  const extra = (epoch) =>
    epoch ? (FIRST_STEP - STEADY) * Math.exp((1 - epoch) / SLOW_STEPS) : START - STEADY;
  let slow = 0;
  for (let epoch = 0; epoch <= epochs; epoch++) slow += extra(epoch);
  const steady = epochs <= 400 ? STEADY : (LONGEST - slow) / (epochs + 1);
  let time = 0;
  return Float64Array.from({ length: epochs + 1 }, (_, epoch) => {
    time += steady + extra(epoch);
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
    this.ends = ends(epochs);
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
      if (Number.isNaN(began)) began = now - 1000 * (from ? this.ends[from - 1] : 0);
      const before = epoch;
      while (epoch < this.epochs && (now - began) / 1000 >= this.ends[epoch]) epoch++;
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
