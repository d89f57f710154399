import type { TokenizerJson } from './tokenizer-core.js';

/**
 * Where texts may be cut so that the ids of the pieces, one after another, are the ids of the whole. Works on UTF-16
 * units; `undefined` as a rule means that no such places are known, and texts are encoded whole.
 */
export interface PieceRule {
  /** What the tokenizer itself puts before a text; the pieces hold it. */
  prefix: string;
  /** The unit that stands for a space in pieces. */
  space: number;
  /** Whether two adjacent units may fall into different pieces. */
  cuts(previous: number, next: number): boolean;
  /** A text between which and any other there is a cut: pieces without it can be encoded as one text, joined by it. */
  separator: string | undefined;
  /** Texts that are to be encoded whole. */
  never: RegExp;
}

type Cuts = Omit<PieceRule, 'never'>;

const SPACE = 0x20;
/** U+2581, which sentencepiece writes for a space. */
const MARK = '\u2581';

/** The rule of a tokenizer, if it is of a kind whose merges are known to stay within such pieces. */
export function pieceRule(json: TokenizerJson): PieceRule | undefined {
  const { model } = json;
  const isPlainBpe =
    model['type'] === 'BPE' &&
    !Array.isArray(model.vocab) &&
    !model['dropout'] &&
    !model['continuing_subword_prefix'] &&
    !model['end_of_word_suffix'];
  const cuts = isPlainBpe ? (sentencepieceRule(json) ?? byteLevelRule(json)) : undefined;
  return cuts && { ...cuts, never: addedTokens(json) };
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);

/** Texts in which an added token may be found, across pieces. */
function addedTokens({ added_tokens: tokens = [] }: TokenizerJson): RegExp {
  const contents = tokens.map(({ content }) => escaped(content).replaceAll(' ', `[ ${MARK}]`));
  return contents.length === 0 ? /(?!)/ : new RegExp(contents.join('|'), 'u');
}

/**
 * Llama 1 and 2: no words, merges over the whole text. A merge makes a token of the vocabulary, so none crosses two
 * units that no token has side by side.
 */
function sentencepieceRule({ normalizer, pre_tokenizer: words, model }: TokenizerJson): Cuts | undefined {
  const marks = [
    { type: 'Prepend', prepend: MARK },
    { type: 'Replace', pattern: { String: ' ' }, content: MARK },
  ];
  const vocab = Object.keys(model.vocab);
  const isByte = (token: string): boolean => /^<0x[0-9A-F]{2}>$/.test(token);
  const hasBytes = model['byte_fallback'] === true && vocab.filter(isByte).length === 256; // so nothing fuses as unknown
  if (words || !hasBytes || JSON.stringify(normalizer) !== JSON.stringify({ type: 'Sequence', normalizers: marks })) {
    return undefined;
  }
  const joined = new Set<number>();
  const ascii = new Uint8Array(128 * 128);
  for (const token of vocab) {
    if (isByte(token)) continue;
    for (let i = 1; i < token.length; i++) {
      const [left, right] = [token.charCodeAt(i - 1), token.charCodeAt(i)];
      if (right === MARK.charCodeAt(0) && left !== right) return undefined; // tokens across words: pieces would be long
      if ((left | right) < 128) ascii[left * 128 + right] = 1;
      else joined.add(left * 65536 + right);
    }
  }
  const cuts = (left: number, right: number): boolean => {
    if ((left | right) < 128) return ascii[left * 128 + right] === 0;
    return !isSurrogate(left) && !isSurrogate(right) && !joined.has(left * 65536 + right);
  };
  const isAlone = vocab.every((token) => token === '\n' || !token.includes('\n'));
  return { prefix: MARK, space: MARK.charCodeAt(0), cuts, separator: isAlone ? '\n' : undefined };
}

/** Patterns of words in which a space is only ever at the start of a word or among spaces: GPT-4's, Llama 3's, Qwen's. */
const LETTERS = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|`;
const REST = String.raw`| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const KNOWN_PATTERNS = [`${LETTERS}\\p{N}{1,3}${REST}`, `${LETTERS}\\p{N}${REST}`];

interface ByteLevel {
  type: string;
  add_prefix_space?: boolean;
  use_regex?: boolean;
  behavior?: string;
  pattern?: { Regex?: string };
  pretokenizers?: ByteLevel[];
}

/** Byte-level BPE within words (GPT-2 and after): no word goes on from a letter, digit or sign to a space. */
function byteLevelRule({ normalizer, pre_tokenizer: words }: TokenizerJson): Cuts | undefined {
  if (normalizer || !words) return undefined;
  const [first, second] = (words as ByteLevel).pretokenizers ?? [words as ByteLevel];
  const isByteLevel = (step: ByteLevel | undefined, hasPattern: boolean): boolean =>
    step?.type === 'ByteLevel' && step.add_prefix_space === false && (step.use_regex ?? true) === hasPattern;
  const isKnownSplit =
    first?.type === 'Split' && first.behavior === 'Isolated' && KNOWN_PATTERNS.includes(first.pattern?.Regex ?? '');
  const isKnown = second === undefined ? isByteLevel(first, true) : isKnownSplit && isByteLevel(second, false);
  if (!isKnown) return undefined;
  const isWord = wordUnits();
  return {
    prefix: '',
    space: SPACE,
    cuts: (left, right) => right === SPACE && isWord[left] === 1,
    separator: undefined,
  };
}

/** Units that are white space in no version of Unicode: ASCII signs, letters and digits. */
function wordUnits(): Uint8Array {
  const isWord = new Uint8Array(65536);
  for (let unit = 33; unit < isWord.length; unit++) {
    if (unit < 127 || (!isSurrogate(unit) && /[\p{L}\p{N}]/u.test(String.fromCharCode(unit)))) isWord[unit] = 1;
  }
  return isWord;
}

const isSurrogate = (unit: number): boolean => (unit & 0xf800) === 0xd800;
