import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { smallTokenizer } from '../../testing/small-tokenizer.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { classDifference } from './class-difference.js';
import { loadTokenizer } from './load-tokenizer.js';
import type { TokenizerJson } from './tokenizer-core.js';

const folder = temporaryFolder();
const sequence = (key: string, ...parts: unknown[]) => ({ type: 'Sequence', [key]: parts });
const PREPEND = [{ type: 'Prepend' }, { type: 'Replace' }];
const json = (pre_tokenizer: unknown, normalizer: unknown) =>
  ({ model: { vocab: {} }, pre_tokenizer, normalizer }) as unknown as TokenizerJson;
const byteLevel = { type: 'ByteLevel', use_regex: true };
const qwenSplit = { type: 'Split', pattern: { Regex: "(?i:'s|'t|'re|'ve|'m|'ll|'d)|..." } };

/** Held against transformers 5.18: AutoTokenizer beside PreTrainedTokenizerFast, on texts with spaces and special tokens. */
const CASES: [name: string, tokenizer: TokenizerJson, difference: string | undefined][] = [
  ['LlamaTokenizer', json({ type: 'Metaspace', split: false }, null), undefined],
  ['LlamaTokenizerFast', json(null, sequence('normalizers', ...PREPEND)), 'begins with a space, and beside special'],
  [
    'LlamaTokenizer',
    json(null, sequence('normalizers', { type: 'Replace' }, ...PREPEND)),
    'normalizer of tokenizer.json',
  ],
  ['LlamaTokenizer', json(byteLevel, null), 'on nearly every text'],
  ['Qwen2Tokenizer', json(sequence('pretokenizers', qwenSplit, byteLevel), { type: 'NFC' }), undefined],
  ['Qwen2TokenizerFast', json(byteLevel, null), 'where it cuts texts into other words'],
  ['Qwen2Tokenizer', json(null, sequence('normalizers', ...PREPEND)), 'on nearly every text'],
  ['GPT2Tokenizer', json(byteLevel, null), undefined],
  ['GPT2Tokenizer', json({ type: 'Metaspace' }, null), 'on nearly every text'],
  ['PreTrainedTokenizerFast', json(null, null), undefined],
];

describe('classDifference', () => {
  it.each(CASES)('tells what the class %s changes', (name, tokenizer, difference) => {
    const told = classDifference(tokenizer, { tokenizer_class: name });
    if (difference === undefined) expect(told).toBeUndefined();
    else expect(told).toContain(difference);
  });

  it('is told as the tokenizer is loaded, with how to compare', async () => {
    const at = path.join(folder.path, 'tokenizer');
    await smallTokenizer(at);
    writeFileSync(path.join(at, 'tokenizer_config.json'), JSON.stringify({ tokenizer_class: 'LlamaTokenizerFast' }));
    const warnings: string[] = [];
    await loadTokenizer(at, { onWarning: (warning) => warnings.push(warning) });
    expect(warnings).toEqual([
      expect.stringMatching(
        /tokenizer_class LlamaTokenizerFast: .*on nearly every text; compare AutoTokenizer\.from_pretrained/,
      ),
    ]);
  });
});
