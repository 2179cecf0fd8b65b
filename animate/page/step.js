/** One step in numbers: the update rule, and the factor along each eigendirection. */

import { stepFactors } from "./descent.js";
import { coordinateText, rateText, valueText } from "./numbers.js";

/** @import {Analysis, Optimizer} from "./descent.js" */
/** @import {Scene} from "./panels.js" */

/**
 * Return the factor that decides: the largest in size.
 * @param {Analysis} analysis
 * @param {number} rate
 * @param {number} momentum
 */
export function decidingFactor(analysis, rate, momentum) {
  const [steep, flat] = stepFactors(analysis, rate, momentum);
  return Math.abs(steep) >= Math.abs(flat) ? steep : flat;
}

/**
 * Return a factor as text, with as many decimals as show whether the error grows.
 * @param {number} factor
 */
export function factorText(factor) {
  const size = Math.abs(factor);
  for (let decimals = 2; decimals < 12; decimals++) {
    const text = size.toFixed(decimals);
    if (size === 1 || Number(text) !== 1) return `${factor < 0 ? "\u2212" : ""}${text}`;
  }
  return factor < 0 ? "\u22121.00" : "1.00";
}

/**
 * Return what an optimizer subtracts, times the rate, and its formula.
 * @param {Optimizer} optimizer
 */
function rule({ momentum, batchSize, adam }) {
  if (adam) return ["direction", "mean gradient / √mean square"];
  if (momentum) return ["velocity", `${momentum} × last velocity + gradient`];
  if (batchSize) return ["sum", "the gradients of all batches of the epoch"];
  return ["gradient", ""];
}

/**
 * Return the lines of the update rule at the present epoch: formula, and one per weight.
 * @param {Scene} scene
 */
export function updateLines({ chosen, epoch, epochs, analysis, optimizer }) {
  const { slopes, biases } = chosen.run;
  const rate = rateText(chosen.rate);
  const [subtracted, meaning] = rule(optimizer);
  const formula = `next = now − ${rate} × ${subtracted}`;
  const [a, b] = analysis.hessian;
  const now = [slopes[epoch], biases[epoch]];
  const errors = now.map((weight, i) => weight - analysis.bestWeights[i]);
  const gradients = [a * errors[0] + b * errors[1], b * errors[0] + 2 * errors[1]];
  const isPlain = subtracted === "gradient";
  const rows = ["slope", "bias"].map((name, i) => {
    const next = [slopes, biases][i][Math.min(epoch + 1, epochs)];
    const part = isPlain ? gradients[i] : (now[i] - next) / chosen.rate;
    const after = isPlain ? now[i] - chosen.rate * part : next;
    if (epoch === epochs && !isPlain) return [name, coordinateText(now[i]), "", ""];
    return [name, coordinateText(now[i]), coordinateText(part), coordinateText(after)];
  });
  return { formula, meaning: meaning && `${subtracted} = ${meaning}`, subtracted, rows };
}

/**
 * Return a row for each eigendirection: its name, its curvature, the factor and what it does.
 * @param {Scene} scene
 */
export function factorRows({ analysis, chosen, optimizer }) {
  const isSteepSlope = Math.abs(analysis.sharpest[0]) > Math.abs(analysis.sharpest[1]);
  const names = isSteepSlope ? ["slope", "bias"] : ["bias", "slope"];
  const factors = stepFactors(analysis, chosen.rate, optimizer.momentum);
  return ["steepest", "flattest"].map((name, i) => {
    const size = Math.abs(factors[i]);
    const growth = size < 1 ? "shrinks" : "grows";
    return [
      `${name} (${names[i]})`,
      valueText(analysis.curvatures[i]),
      optimizer.adam ? "none" : factorText(factors[i]),
      optimizer.adam ? "" : growth,
    ];
  });
}
