import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from './config.js';
import { parseConfig } from './config-reader.js';
import { ropeFrequencies, ropeTables } from './rope-tables.js';

/** One configuration and what transformers makes of it (scripts/goldens/rotary.py). */
interface Golden {
  keys: Record<string, unknown>;
  fails?: boolean;
  frequencies: number[];
  scale: number;
}

const goldens = JSON.parse(readFileSync(join(__dirname, '../testing/goldens/rotary.json'), 'utf8')) as Golden[];
const SIZES = {
  architectures: ['LlamaForCausalLM'],
  vocab_size: 8,
  hidden_size: 64,
  intermediate_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  max_position_embeddings: 4096,
};
const titled = (rows: Golden[]) => rows.map((golden) => [JSON.stringify(golden.keys), golden] as const);

it.each(titled(goldens.filter(({ fails }) => !fails)))('rotates as transformers does: %s', (_, golden) => {
  const config = parseConfig({ ...SIZES, ...golden.keys });
  const frequencies = ropeFrequencies(config, 8);
  expect(frequencies).toHaveLength(golden.frequencies.length);
  golden.frequencies.forEach((expected, pair) => expect(frequencies[pair] / expected).toBeCloseTo(1, 5));
  expect(ropeTables(config, 1).cos[0]).toBeCloseTo(golden.scale, 6);
});

it.each(titled(goldens.filter(({ fails }) => fails)))('refuses what transformers refuses: %s', (_, { keys }) => {
  expect(() => parseConfig({ ...SIZES, ...keys })).toThrow(ConfigError);
});
