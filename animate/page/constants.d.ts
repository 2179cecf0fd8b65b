/** The constants that the page shares with the Python package, which writes constants.js. */

export const CONVERGENCE_TOLERANCE: number;
export const FLOAT32_FLOOR: number;
export const GAUSSIAN_STD: number;
export const LARGEST_SEED: string;
export const LARGEST_WEIGHT: number;
export const THEMES: string[];
export const START_SECONDS: number;
export const FIRST_STEP_SECONDS: number;
export const SLOW_START_DECAY: number;
export const STEADY_PACE: number;
export const MOST_MOMENTS: number;
export const LONG_RUN_SECONDS: number;
export const HOLD_SECONDS: number;
