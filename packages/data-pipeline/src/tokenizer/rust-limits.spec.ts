import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { characterMap } from '../../testing/character-map.js';
import { smallTokenizer } from '../../testing/small-tokenizer.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { loadTokenizer } from './load-tokenizer.js';

const folder = temporaryFolder();
type Json = Record<string, unknown> & { model: object; post_processor: { special_tokens: Record<string, unknown> } };
let right: Json;
beforeAll(async () => {
  await smallTokenizer(folder.path);
  right = JSON.parse(readFileSync(path.join(folder.path, 'tokenizer.json'), 'utf8')) as Json;
});

/** Loads the small tokenizer with some of it changed. */
async function load(changed: (json: Json) => object, text = 'AAB'): Promise<number[]> {
  writeFileSync(path.join(folder.path, 'changed.json'), JSON.stringify({ ...right, ...changed(right) }));
  const tokenizer = await loadTokenizer(path.join(folder.path, 'changed.json'), { core: 'rust', pieces: false });
  const ids = [...(await tokenizer.encode(text, { addSpecialTokens: true }))];
  await tokenizer.decode(ids);
  return ids;
}

const template = (json: Json, ...single: object[]): object => ({ ...json.post_processor, single });
const precompiled = (map: Buffer): object => ({ type: 'Precompiled', precompiled_charsmap: map.toString('base64') });
/** A map of A to a, with 4 bytes at a place changed. */
function changedMap(at: number, value: number): object {
  const map = characterMap();
  map.writeUInt32LE(value, at);
  return precompiled(map);
}

// The Rust library would end this process at each of them.
it.each<[string, (json: Json) => object, RegExp]>([
  [
    'a token that the template alone names',
    (json) => ({ post_processor: { type: 'Sequence', processors: [{ ...json.post_processor, special_tokens: {} }] } }),
    /changed\.json: the rust core .*special_tokens of the template.*none for "<s>"; .*LETHE_TOKENIZER=js/,
  ],
  [
    'a second text of a template for one',
    (json) => ({ post_processor: template(json, { Sequence: { id: 'B', type_id: 0 } }) }),
    /single text without a second one/,
  ],
  ['pieces of no length', () => ({ pre_tokenizer: { type: 'FixedLength', length: 0 } }), /a length of 1 or more/],
  [
    'ends that are stripped',
    () => ({ decoder: { type: 'Sequence', decoders: [{ type: 'Strip', content: 'B', start: 0, stop: 9 }] } }),
    /strips no ends \(stop: 0\), received 9/,
  ],
  [
    'merges without the prefix',
    (json) => ({ model: { ...json.model, continuing_subword_prefix: '####' } }),
    /merges whose second part begins with "####"/,
  ],
  [
    'a map of characters that is cut',
    () => ({ normalizer: precompiled(characterMap().subarray(0, 40)) }),
    /whole prec/,
  ],
  [
    'a map that is no base64',
    () => ({ normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAA' } }),
    /whole prec/,
  ],
  ['a map that is none', () => ({ normalizer: { type: 'Precompiled' } }), /whole precompiled_charsmap/],
  ['a root that leads out of it', () => ({ normalizer: changedMap(4, 0x7fff_fc00) }), /whole precompiled_charsmap/],
  ['a leaf that leads out of it', () => ({ normalizer: changedMap(4 + 4 * 64, 0x7fff_fd41) }), /leads out of itself/],
  ['a text that is none', () => ({ normalizer: changedMap(4 + 4 * 2, 0x8000_0040) }), /leads out of itself/],
])('%s: refused by name', async (_, changed, message) => {
  await expect(load(changed)).rejects.toThrow(message);
});

it('a map of characters that is whole is taken, and is what it says', async () => {
  const [mapped, plain, small] = [() => ({ normalizer: precompiled(characterMap()) }), () => ({}), 'aaB'];
  expect(await load(mapped)).toEqual(await load(plain, small));
  expect(await load(mapped)).not.toEqual(await load(plain));
});

it('what the library complains of at a text names the file', async () => {
  const model = { type: 'Unigram', vocab: [['a', -1]], unk_id: null };
  const bare = { model, normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, added_tokens: [] };
  expect(await load(() => bare, 'aa')).toEqual([0, 0]);
  await expect(load(() => bare, 'ab')).rejects.toThrow(/changed\.json: .*unknown token.*unk_id/);
});
