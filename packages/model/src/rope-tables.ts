import type { LlamaConfig } from './config.js';

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
  const numPairs = frequencies.length;
  const cos = new Float32Array(length * numPairs);
  const sin = new Float32Array(length * numPairs);
  for (let position = 0; position < length; position++) {
    for (let pair = 0; pair < numPairs; pair++) {
      cos[position * numPairs + pair] = Math.cos(position * frequencies[pair]);
      sin[position * numPairs + pair] = Math.sin(position * frequencies[pair]);
    }
  }
  return { cos, sin, numPositions: length, numPairs };
}

/**
 * Radians per position of each pair [headDim / 2], as transformers defines them: theta^(-2r/d); `linear` divides all by
 * the factor; `dynamic` raises theta when `length` exceeds the model's own maximum and else changes nothing; `llama3`
 * divides long wavelengths, keeps short ones and blends between.
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
