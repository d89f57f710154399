import type { LlamaConfig } from './config.js';
import type { ConfigKeys } from './config-keys.js';

/** Which keys a layer sees. */
export type Windows = Pick<LlamaConfig, 'slidingWindow' | 'fullLayers'>;

const SLIDING = 'sliding_attention';
const FULL = 'full_attention';

/**
 * Qwen's window, and the layers without one: by `layer_types` where it is given, else the first `max_window_layers`.
 * @throws ConfigError for kinds of layers that are not computed here.
 */
export function readQwenWindows(keys: ConfigKeys, numLayers: number): Windows {
  const isUsed = keys.flag('use_sliding_window', false) && !isNull(keys, 'sliding_window');
  const types = readTypes(keys, numLayers) ?? typesByNumber(keys, numLayers, isUsed);
  if (!types.includes(SLIDING)) return { slidingWindow: null, fullLayers: [] };
  if (!isUsed) keys.refuse('layer_types', `"${FULL}" alone, unless use_sliding_window is true`, types);
  const fullLayers = types.flatMap((type, layer) => (type === FULL ? [layer] : []));
  return { slidingWindow: keys.integer('sliding_window', { fallback: 4096 }), fullLayers };
}

const isNull = (keys: ConfigKeys, key: string): boolean => keys.has(key) && keys.get(key) === undefined;

function readTypes(keys: ConfigKeys, numLayers: number): string[] | undefined {
  const types = keys.get('layer_types');
  if (types === undefined) return undefined;
  const isList = Array.isArray(types) && types.length === numLayers;
  if (isList && types.every((type) => type === SLIDING || type === FULL)) return types as string[];
  return keys.refuse('layer_types', `a list of ${numLayers} of "${SLIDING}" and "${FULL}"`, types);
}

function typesByNumber(keys: ConfigKeys, numLayers: number, isUsed: boolean): string[] {
  const numFull = isUsed ? keys.integer('max_window_layers', { fallback: 28, minimum: 0 }) : numLayers;
  return Array.from({ length: numLayers }, (_, layer) => (layer >= numFull ? SLIDING : FULL));
}

/** The keys that {@link readQwenWindows} reads back. */
export function writeQwenWindows({ slidingWindow, fullLayers, numLayers }: LlamaConfig): Record<string, unknown> {
  const isUsed = slidingWindow !== null;
  const isByNumber = fullLayers.every((layer, i) => layer === i);
  const types = Array.from({ length: numLayers }, (_, layer) => (fullLayers.includes(layer) ? FULL : SLIDING));
  return {
    use_sliding_window: isUsed,
    sliding_window: slidingWindow,
    max_window_layers: isUsed ? fullLayers.length : numLayers,
    ...(isByNumber ? {} : { layer_types: types }),
  };
}
