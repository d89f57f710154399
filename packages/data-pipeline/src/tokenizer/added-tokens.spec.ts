import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { smallTokenizer } from '../../testing/small-tokenizer.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { loadTokenizer } from './load-tokenizer.js';
import type { Tokenizer } from './tokenizer.js';

type Files = Record<string, unknown>;

const folder = temporaryFolder();
let count = 0;
const NAMES = { bos_token: '<s>', eos_token: '</s>' };
const token = (content: string, special = true, more: object = {}): object => ({
  content,
  special,
  normalized: false,
  lstrip: false,
  rstrip: false,
  single_word: false,
  ...more,
});

/** The tokenizer of 320 ids with these keys of tokenizer_config.json and these files, and what it warned of. */
async function load(config: object, files: Files = {}): Promise<{ tokenizer: Tokenizer; warnings: string[] }> {
  const at = path.join(folder.path, String(count++));
  mkdirSync(at);
  await smallTokenizer(at);
  const all: Files = { 'tokenizer_config.json': { tokenizer_class: 'PreTrainedTokenizerFast', ...config }, ...files };
  for (const [name, value] of Object.entries(all)) writeFileSync(path.join(at, name), JSON.stringify(value));
  const warnings: string[] = [];
  return { tokenizer: await loadTokenizer(at, { onWarning: (text) => void warnings.push(text) }), warnings };
}

const parsed = async (tokenizer: Tokenizer, text: string): Promise<number[]> => [
  ...(await tokenizer.encode(text, { addSpecialTokens: false, parseSpecialTokens: true })),
];

describe('tokens that the files beside tokenizer.json add', () => {
  // Numbers as transformers 5.18 gives them: in order after all others, whatever the file says.
  it.each<[string, object, Files, [text: string, id: number][]]>([
    [
      'added_tokens_decoder',
      { added_tokens_decoder: { 400: token('<|b|>'), 399: token('<|a|>', false) } },
      {},
      [
        ['<|a|>', 320],
        ['<|b|>', 321],
      ],
    ],
    [
      'added_tokens.json',
      {},
      { 'added_tokens.json': { '<|b|>': 321, '<|a|>': 320 } },
      [
        ['<|a|>', 320],
        ['<|b|>', 321],
      ],
    ],
    [
      'extra_special_tokens, a list',
      { extra_special_tokens: ['<|a|>', '</s>', token('<|b|>')] },
      {},
      [
        ['<|a|>', 320],
        ['<|b|>', 321],
        ['</s>', 2],
      ],
    ],
    ['additional_special_tokens', { additional_special_tokens: ['<|a|>'] }, {}, [['<|a|>', 320]]],
    ['extra_special_tokens, named', { extra_special_tokens: { image_token: '<|a|>' } }, {}, [['<|a|>', 320]]],
    ['a name of the model’s own', { image_token: '<|a|>' }, {}, [['<|a|>', 320]]],
    ['an eos_token', { eos_token: '<|a|>' }, {}, [['<|a|>', 320]]],
    ['special_tokens_map.json', {}, { 'special_tokens_map.json': { sep_token: token('<|a|>') } }, [['<|a|>', 320]]],
  ])('%s', async (_what, config, files, expected) => {
    const { tokenizer, warnings } = await load({ ...NAMES, ...config }, files);
    for (const [text, id] of expected) expect([text, await parsed(tokenizer, text)]).toEqual([text, [id]]);
    expect(tokenizer.vocabSize).toBe(Math.max(...expected.map(([, id]) => id)) + 1);
    expect(warnings).toEqual([]);
  });

  it('make another tokenizer of it; none make none', async () => {
    const { tokenizer: plain } = await load(NAMES);
    const { tokenizer: same } = await load({ ...NAMES, added_tokens_decoder: { 2: token('</s>') } });
    const { tokenizer: more } = await load({ ...NAMES, extra_special_tokens: ['<|a|>'] });
    expect(same.hash).toBe(plain.hash);
    expect(more.hash).not.toBe(plain.hash);
  });

  it('change the flags of those that are there', async () => {
    const { tokenizer } = await load({ ...NAMES, added_tokens_decoder: { 2: token('</s>', true, { lstrip: true }) } });
    expect(await parsed(tokenizer, '  </s>')).toEqual([2]);
    const { tokenizer: plain } = await load({ ...NAMES, added_tokens_decoder: { 4: token('<|user|>', false) } });
    expect(plain.specialTexts()).not.toContain('<|user|>');
    expect(await parsed(plain, '<|user|>')).toEqual([4]);
  });

  it('are text where only a message spells them, as other special tokens are', async () => {
    const { tokenizer } = await load({ ...NAMES, extra_special_tokens: ['<|a|>'] });
    const ids = [...(await tokenizer.encode('<|a|>', { addSpecialTokens: false }))];
    expect(ids).not.toContain(320);
    expect(await tokenizer.decode(ids)).toBe('<|a|>');
  });

  it('are left out, with a warning, where the model has no embedding for them; a pad_token always is', async () => {
    const files = { 'config.json': { vocab_size: 321 } };
    const { tokenizer, warnings } = await load({ ...NAMES, extra_special_tokens: ['<|a|>', '<|b|>'] }, files);
    expect(tokenizer.vocabSize).toBe(321);
    expect(warnings).toEqual([expect.stringMatching(/adds <\|b\|>, beyond the 321 ids of the model \(vocab_size/)]);
    const { tokenizer: padded } = await load({ ...NAMES, pad_token: '[PAD]' });
    expect(padded.vocabSize).toBe(320);
  });

  it('are refused where they are no tokens', async () => {
    await expect(load({ added_tokens_decoder: { 7: '<|a|>' } })).rejects.toThrow(
      /added_tokens_decoder of tokenizer_config\.json: expected a mapping with "content" for 7/,
    );
  });
});

describe('names of special tokens', () => {
  const names = async (config: object, files: Files = {}): Promise<object> =>
    (await load(config, files)).tokenizer.templateNames;
  const map = { 'special_tokens_map.json': { bos_token: '<pad>', eos_token: '<|user|>' } };

  it('are those of special_tokens_map.json, which nobody reads beside added_tokens_decoder', async () => {
    expect(await names(NAMES, map)).toEqual({ bos_token: '<pad>', eos_token: '<|user|>' });
    expect(await names({ ...NAMES, bos_token: null }, map)).toEqual({ bos_token: '<pad>', eos_token: '<|user|>' });
    expect(await names({ bos_token: '<s>', added_tokens_decoder: {} }, map)).toEqual({ bos_token: '<s>' });
    const { tokenizer } = await load(NAMES, map);
    expect([tokenizer.special.bos, tokenizer.special.eos]).toEqual([0, 4]);
  });

  it('are also those of the model’s own', async () => {
    expect(await names({ ...NAMES, image_token: '</s>', extra_special_tokens: { tool_mark: '<s>' } })).toEqual({
      ...NAMES,
      image_token: '</s>',
      tool_mark: '<s>',
    });
  });

  it('are those of the tokenizer’s class where no file says them, and none where the class has none', async () => {
    expect(await names({ tokenizer_class: 'LlamaTokenizer' })).toEqual({ ...NAMES, unk_token: '<unk>' });
    expect(await names({ tokenizer_class: 'LlamaTokenizerFast', bos_token: null })).toEqual({
      eos_token: '</s>',
      unk_token: '<unk>',
    });
    expect(await names({})).toEqual({});
  });
});

describe('settings of a tokenizer that other programs act on', () => {
  it('are told: special tokens that are split, ids that are drawn', async () => {
    const { tokenizer, warnings } = await load({ ...NAMES, split_special_tokens: true });
    expect(warnings).toEqual([
      expect.stringMatching(/split_special_tokens of tokenizer_config\.json has transformers/),
    ]);
    const file = path.join(tokenizer.folder, 'tokenizer.json');
    const json = JSON.parse(readFileSync(file, 'utf8')) as { model: object };
    writeFileSync(file, JSON.stringify({ ...json, model: { ...json.model, dropout: 1 } }));
    const told: string[] = [];
    const drawn = await loadTokenizer(tokenizer.folder, { onWarning: (text) => void told.push(text) });
    expect(told).toContainEqual(expect.stringMatching(/draws ids at random \(dropout 1\)/));
    // With all merges dropped each letter would be a token.
    expect(await parsed(drawn, 'the whale')).toEqual(await parsed(tokenizer, 'the whale'));
    expect((await parsed(drawn, 'the whale')).length).toBeLessThan('the whale'.length);
  });
});
