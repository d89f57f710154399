import { type RopeScaling, yarnAttentionFactor } from './config.js';
import type { ConfigKeys } from './config-keys.js';

const KINDS = '"default", "linear", "dynamic", "llama3" or "yarn"';

/**
 * The rotary embedding, as transformers reads it: `rope_scaling` (of transformers 4) wins over `rope_parameters` (of 5),
 * and the base is the winner's `rope_theta`, else that of the config, else 10,000.
 * @throws ConfigError for a kind that is not computed here.
 */
export function readRope(keys: ConfigKeys): { ropeTheta: number; ropeScaling: RopeScaling | null } {
  const given = keys.nested('rope_scaling');
  const scaling = given && !given.isEmpty() ? given : keys.nested('rope_parameters');
  const [perLayer] = scaling?.mappings() ?? [];
  if (scaling && perLayer !== undefined) {
    scaling.refuse(perLayer, 'one rotary embedding for all layers', scaling.get(perLayer));
  }
  const thetaKeys = scaling?.has('rope_theta') ? scaling : keys;
  return {
    ropeTheta: thetaKeys.positive('rope_theta', 10000),
    ropeScaling: scaling ? readScaling(scaling, keys) : null,
  };
}

function readScaling(scaling: ConfigKeys, keys: ConfigKeys): RopeScaling | null {
  const key = scaling.get('rope_type') === undefined && scaling.get('type') !== undefined ? 'type' : 'rope_type';
  const kind = scaling.get(key) ?? 'default';
  const rotaryShare = scaling.get('partial_rotary_factor') ?? 1;
  if (rotaryShare !== 1) scaling.refuse('partial_rotary_factor', '1 (whole heads are rotated)', rotaryShare);
  if (kind === 'default') return null;
  if (kind === 'linear' || kind === 'dynamic') return { kind, factor: scaling.positive('factor') };
  if (kind === 'yarn') return readYarn(scaling, keys);
  if (kind !== 'llama3') return scaling.refuse(key, KINDS, kind);
  const lowFreqFactor = scaling.positive('low_freq_factor');
  const highFreqFactor = scaling.positive('high_freq_factor');
  if (highFreqFactor <= lowFreqFactor) {
    scaling.refuse('high_freq_factor', `more than low_freq_factor ${lowFreqFactor}`, highFreqFactor);
  }
  const originalMaxPositions = readOriginalMaxPositions(scaling, keys);
  return { kind, factor: scaling.positive('factor'), lowFreqFactor, highFreqFactor, originalMaxPositions };
}

function readOriginalMaxPositions(scaling: ConfigKeys, keys: ConfigKeys): number {
  const name = 'original_max_position_embeddings';
  if (keys.get(name) !== undefined) return keys.integer(name);
  if (scaling.has(name) && scaling.get(name) === undefined) scaling.refuse(name, 'a number, or no such key', null);
  return scaling.integer(name, { fallback: keys.integer('max_position_embeddings') });
}

function readYarn(scaling: ConfigKeys, keys: ConfigKeys): RopeScaling {
  const originalMaxPositions = readOriginalMaxPositions(scaling, keys);
  const isFromLengths = scaling.has('factor') && scaling.get('factor') === undefined;
  const factor = isFromLengths
    ? keys.integer('max_position_embeddings') / originalMaxPositions
    : scaling.positive('factor');
  const hasScales = Boolean(scaling.get('mscale')) && Boolean(scaling.get('mscale_all_dim'));
  const attentionFactor = hasScales
    ? yarnAttentionFactor(factor, scaling.positive('mscale')) /
      yarnAttentionFactor(factor, scaling.positive('mscale_all_dim'))
    : yarnAttentionFactor(factor);
  return {
    kind: 'yarn',
    factor,
    attentionFactor: scaling.positive('attention_factor', attentionFactor),
    betaFast: scaling.get('beta_fast') === 0 ? 32 : scaling.positive('beta_fast', 32),
    betaSlow: scaling.get('beta_slow') === 0 ? 1 : scaling.positive('beta_slow', 1),
    originalMaxPositions,
    truncate: scaling.flag('truncate', true),
  };
}
