import { readFileSync } from 'node:fs';
import path from 'node:path';
import { seededRandom } from '@lethe/run';
import { sampleTexts, smallTokenizer } from '../../testing/small-tokenizer.js';
import { temporaryFolder } from '../../testing/temporary-folder.js';
import { loadTokenizer } from './load-tokenizer.js';
import { type EncodeTexts, PieceEncoder } from './piece-encoder.js';
import { pieceRule } from './piece-rule.js';
import { MAX_PIECE } from './piece-table.js';
import type { TokenizerJson } from './tokenizer-core.js';

const folder = temporaryFolder();

/** Words and everything that may stand between them, rare white space and broken surrogates included. */
const WORDS = [
  'the',
  'whale',
  ' the',
  "'s",
  "I'LL",
  '12',
  '3',
  '中文',
  'naïve',
  '🙂',
  '\u{10ffff}0\u{10ffff}',
  '<think>',
  '<s>',
];
const SPACES = [
  ' ',
  '  ',
  '\n',
  '\r\n',
  '\t',
  '\u00a0',
  '\u0085',
  '\u180e',
  '\u200d',
  '\ufeff',
  '\u3000',
  '\u2581',
  '\ud83d',
];
const SIGNS = ['.', ',', '!?', '--', 'w'.repeat(MAX_PIECE + 3)];
const PARTS = [' ', ...WORDS, ...SPACES, ...SIGNS];

function oddTexts(count: number): string[] {
  const random = seededRandom(1, 'pieces');
  return Array.from({ length: count }, () =>
    Array.from({ length: random.int(30) }, () => PARTS[random.int(PARTS.length)]).join(''),
  );
}

/** As Llama 2: no words, spaces as U+2581, bytes for unknown characters. */
function sentencepieceJson(): TokenizerJson {
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const merges = ['t h', 'th e', '▁ the', '▁ ▁', '▁▁ ▁▁', 'w h', 'wh a', '. .', 'l e', '▁ wha', 'e s', "' s"];
  const merged = merges.map((pair) => pair.replace(' ', ''));
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, ..."▁abcdefghijklmnopqrstuvwxyz.,!?-'123", ...merged];
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  const added = (content: string, id: number) => ({ id, content, ...flags, special: true });
  const normalizers = [
    { type: 'Prepend', prepend: '▁' },
    { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  ];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  return {
    version: '1.0',
    added_tokens: ['<unk>', '<s>', '</s>'].map(added),
    normalizer: { type: 'Sequence', normalizers },
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: { type: 'BPE', unk_token: '<unk>', fuse_unk: true, byte_fallback: true, vocab, merges },
  };
}

const GPT4 = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

/** The small byte-level tokenizer, as GPT-2 cuts words and as Llama 3 does, with a token that texts may hold. */
async function byteLevelJson(isLlama3: boolean): Promise<TokenizerJson> {
  await smallTokenizer(path.join(folder.path, 'small'));
  const json = JSON.parse(readFileSync(path.join(folder.path, 'small/tokenizer.json'), 'utf8')) as TokenizerJson;
  json.added_tokens!.push({ ...json.added_tokens![0]!, id: 320, content: '<think>', special: false });
  const split = { type: 'Split', pattern: { Regex: GPT4 }, behavior: 'Isolated', invert: false };
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  if (isLlama3) json['pre_tokenizer'] = { type: 'Sequence', pretokenizers: [split, bytes] };
  return json;
}

const KINDS: [string, () => Promise<TokenizerJson>][] = [
  ['Llama 2', async () => sentencepieceJson()],
  ['GPT-2', () => byteLevelJson(false)],
  ['Llama 3', () => byteLevelJson(true)],
];

describe.each(KINDS)('pieces of a tokenizer like that of %s', (name, make) => {
  it.each(['rust', 'js'] as const)('give the ids of whole texts (%s)', async (core) => {
    const json = await make();
    expect(pieceRule(json)).toBeDefined();
    const file = folder.file(`${name}-${core}.json`, JSON.stringify(json));
    const [whole, pieces] = [
      await loadTokenizer(file, { core, pieces: false }),
      await loadTokenizer(file, { core, pieces: true }),
    ];
    const texts = ['', 'a', ...oddTexts(400), ...sampleTexts(30)];
    const expected = await whole.encodeBatch(texts);
    // In parts, some at the same time, so that pieces are asked for while others wait for the same ones.
    const parts = [texts.slice(0, 100), texts.slice(90, 300), texts.slice(290), texts];
    const received = await Promise.all(parts.map((part) => pieces.encodeBatch(part)));
    for (const [p, from] of [0, 90, 290, 0].entries()) {
      for (const [i, ids] of received[p]!.entries())
        expect([texts[from + i], ids]).toEqual([texts[from + i], expected[from + i]]);
    }
  });
});

describe('PieceEncoder', () => {
  const rule = pieceRule(sentencepieceJson())!;
  /** Ids of a piece are its characters; the texts asked for are noted. */
  function counted(): { encode: EncodeTexts; asked: string[] } {
    const asked: string[] = [];
    const ids = (text: string) => Int32Array.from([...text], (character) => character.codePointAt(0)!);
    return { asked, encode: async (texts) => (asked.push(...texts), texts.map(ids)) };
  }

  it('asks for a piece once, and many in one text', async () => {
    const { encode, asked } = counted();
    const encoder = new PieceEncoder(rule, encode, encode);
    const [ids] = await encoder.encodeBatch(['the cat the\ncat']);
    expect(String.fromCharCode(...ids!)).toBe('▁the▁cat▁the\ncat');
    expect(
      asked
        .slice(1)
        .flatMap((text) => text.split('\n'))
        .filter((piece) => piece.includes('the')),
    ).toHaveLength(1);
    const before = asked.length;
    await encoder.encodeBatch(['the cat']);
    expect(asked).toHaveLength(before);
  });

  it('starts anew when it remembers as much as it may', async () => {
    const { encode } = counted();
    const encoder = new PieceEncoder(rule, encode, encode, 4);
    for (const text of ['a b c d e f g', 'the whale', 'a.b,c!d?e', 'a b']) {
      const [first, second] = await Promise.all([encoder.encodeBatch([text]), encoder.encodeBatch([text])]);
      expect(String.fromCharCode(...first[0]!)).toBe(`▁${text.replaceAll(' ', '▁')}`);
      expect(second).toEqual(first);
    }
  });

  it('is told when the core fails', async () => {
    const encoder = new PieceEncoder(rule, () => Promise.reject(new Error('broken')), counted().encode);
    await expect(encoder.encodeBatch(['the'])).rejects.toThrow('broken');
  });
});

describe('pieceRule', () => {
  it.each([
    ['another normalizer', { normalizer: { type: 'NFC' } }],
    ['a prefix space', { normalizer: null, pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true } }],
    ['an unknown pattern', { normalizer: null, pre_tokenizer: { type: 'Split', pattern: { Regex: '.' } } }],
    [
      'a token across words',
      { model: { ...sentencepieceJson().model, vocab: { ...sentencepieceJson().model.vocab, 'e▁': 999 } } },
    ],
    ['dropout', { model: { ...sentencepieceJson().model, dropout: 0.1 } }],
  ])('knows none for %s', (_, changed) => {
    expect(pieceRule({ ...sentencepieceJson(), ...changed } as TokenizerJson)).toBeUndefined();
  });
});
