import type { LlamaConfig, YarnScaling } from './config.js';

/** Cosines and sines of the rotary angles: P positions, R = headDim / 2 pairs; row major [P, R]. */
export interface RopeTables {
  cos: Float32Array;
  sin: Float32Array;
  numPositions: number;
  numPairs: number;
}

/**
 * Angles position * f_r, computed in fp64 and stored in fp32, for positions 0 .. length - 1.
 *
 * @throws RangeError unless length is a positive integer.
 */
export function ropeTables(config: LlamaConfig, length: number): RopeTables {
  if (!Number.isInteger(length) || length < 1) {
    throw new RangeError(`ropeTables: expected a length of at least 1, received ${length}`);
  }
  const frequencies = ropeFrequencies(config, length);
  const scale = config.ropeScaling?.kind === 'yarn' ? config.ropeScaling.attentionFactor : 1;
  const numPairs = frequencies.length;
  const cos = new Float32Array(length * numPairs);
  const sin = new Float32Array(length * numPairs);
  for (let position = 0; position < length; position++) {
    for (let pair = 0; pair < numPairs; pair++) {
      cos[position * numPairs + pair] = scale * Math.cos(position * frequencies[pair]);
      sin[position * numPairs + pair] = scale * Math.sin(position * frequencies[pair]);
    }
  }
  return { cos, sin, numPositions: length, numPairs };
}

/**
 * Radians per position of each pair [headDim / 2], as transformers defines them: theta^(-2r/d); `linear` divides all by
 * the factor; `dynamic` raises theta when `length` exceeds the model's own maximum and else changes nothing; `llama3`
 * divides long wavelengths, keeps short ones and blends between; `yarn` blends by the number of the pair.
 */
export function ropeFrequencies(config: LlamaConfig, length: number): Float64Array {
  const { headDim, ropeTheta, ropeScaling, maxPositions } = config;
  let theta = ropeTheta;
  if (ropeScaling?.kind === 'dynamic' && length > maxPositions) {
    const { factor } = ropeScaling;
    theta *= ((factor * length) / maxPositions - (factor - 1)) ** (headDim / (headDim - 2));
  }
  const plain = Float64Array.from({ length: headDim / 2 }, (_, pair) => theta ** ((-2 * pair) / headDim));
  if (ropeScaling?.kind === 'linear') return plain.map((frequency) => frequency / ropeScaling.factor);
  if (ropeScaling?.kind === 'yarn') return yarnFrequencies(plain, config, ropeScaling);
  if (ropeScaling?.kind !== 'llama3') return plain;
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = ropeScaling;
  return plain.map((frequency) => {
    const turns = (originalMaxPositions * frequency) / (2 * Math.PI); // in the original context
    if (turns > highFreqFactor) return frequency;
    if (turns < lowFreqFactor) return frequency / factor;
    const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return (1 - smooth) * (frequency / factor) + smooth * frequency;
  });
}

/** YaRN, section 3.2 of arXiv:2309.00071: a ramp over the pairs between those that turn betaFast and betaSlow times. */
function yarnFrequencies(plain: Float64Array, { headDim, ropeTheta }: LlamaConfig, yarn: YarnScaling): Float64Array {
  const { factor, betaFast, betaSlow, originalMaxPositions, truncate } = yarn;
  const pairOfTurns = (turns: number): number =>
    (headDim * Math.log(originalMaxPositions / (turns * 2 * Math.PI))) / (2 * Math.log(ropeTheta));
  const [first, last] = [pairOfTurns(betaFast), pairOfTurns(betaSlow)];
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const high = Math.min(truncate ? Math.ceil(last) : last, headDim - 1);
  const width = high === low ? 0.001 : high - low;
  return plain.map((frequency, pair) => {
    const ramp = Math.min(1, Math.max(0, (pair - low) / width));
    return (1 - ramp) * frequency + (ramp * frequency) / factor;
  });
}
