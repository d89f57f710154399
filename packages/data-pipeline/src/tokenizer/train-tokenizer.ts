import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { explainWriteError, writeFileAtomically } from '@lethe/run';
import { loadTokenizer } from './load-tokenizer.js';
import { TokenizerError } from './tokenizer-core.js';
import type { Tokenizer } from './tokenizer.js';

/** What a trained tokenizer looks like. */
export interface TrainTokenizerOptions {
  /** Exact number of ids: special tokens, 256 bytes, then merges. */
  vocabSize: number;
  /** The folder that receives tokenizer.json and tokenizer_config.json. */
  folder: string;
  /** Characters of text to learn from, at most. Default 256 Mi. */
  maxCharacters?: number;
  /** Control tokens beyond the standard six. */
  extraSpecialTokens?: string[];
}

/** Control tokens of a trained tokenizer, from id 0 on. */
export const TRAINED_SPECIAL_TOKENS = ['<pad>', '<s>', '</s>', '<|system|>', '<|user|>', '<|assistant|>'] as const;

/** The chat template of a trained tokenizer: a role token, the message, and `</s>` after each answer. */
export const TRAINED_CHAT_TEMPLATE =
  "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}" +
  "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

const NUM_BYTES = 256;

/**
 * Trains a byte-level BPE tokenizer on texts and writes it as a Hugging Face folder.
 * The library's trainer takes no options, so the first merges up to the wanted vocabulary are kept.
 * @throws TokenizerError when the vocabulary is too small, or larger than the text supports.
 */
export async function trainTokenizer(
  texts: AsyncIterable<string> | Iterable<string>,
  options: TrainTokenizerOptions,
): Promise<Tokenizer> {
  const special = [...new Set([...TRAINED_SPECIAL_TOKENS, ...(options.extraSpecialTokens ?? [])])];
  const numMerged = options.vocabSize - special.length - NUM_BYTES;
  if (!Number.isInteger(options.vocabSize) || numMerged < 0) {
    throw new TokenizerError(
      `a tokenizer to be trained: expected a vocabulary of at least ${special.length + NUM_BYTES} ids (${NUM_BYTES} bytes, ` +
        `${special.length} special tokens), received ${options.vocabSize}; ask for more`,
    );
  }
  const merges = await learnMerges(texts, options.maxCharacters ?? 256 * 2 ** 20);
  const { vocab, kept } = chooseVocabulary(special, merges.pairs, numMerged, merges.alphabet);
  if (Object.keys(vocab).length < options.vocabSize) {
    throw new TokenizerError(
      `a tokenizer to be trained: expected text that supports a vocabulary of ${options.vocabSize}, it supports ` +
        `${Object.keys(vocab).length}; give more text or ask for a smaller vocabulary (the trainer ends near 30,000)`,
    );
  }
  const write = (name: string, text: string): void => writeFileAtomically(path.join(options.folder, name), text);
  // The tokenizer comes last: where it is, all of it is.
  write('tokenizer_config.json', `${JSON.stringify(tokenizerConfig(special), null, 2)}\n`);
  write('tokenizer.json', JSON.stringify(tokenizerJson(special, vocab, kept)));
  return loadTokenizer(options.folder);
}

async function learnMerges(texts: AsyncIterable<string> | Iterable<string>, maxCharacters: number) {
  const library = await import('tokenizers').catch((cause: Error) => {
    throw new TokenizerError(`training needs the Rust tokenizer, which cannot be loaded: ${cause.message}`, { cause });
  });
  const folder = await mkdtemp(path.join(tmpdir(), 'lethe-tokenizer-'));
  try {
    const file = path.join(folder, 'text.txt');
    await writeTexts(texts, file, maxCharacters);
    const trainer = new library.Tokenizer(library.BPE.empty());
    trainer.setPreTokenizer(library.byteLevelPreTokenizer(false, true));
    trainer.train([file]);
    const trained = path.join(folder, 'trained.json');
    trainer.save(trained);
    const { model } = JSON.parse(await readFile(trained, 'utf8')) as { model: { merges: [string, string][] } };
    return { pairs: model.merges, alphabet: library.byteLevelAlphabet().sort() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeTexts(
  texts: AsyncIterable<string> | Iterable<string>,
  file: string,
  maxCharacters: number,
): Promise<void> {
  let numCharacters = 0;
  async function* pieces(): AsyncGenerator<string> {
    for await (const text of texts) {
      const piece = text.slice(0, maxCharacters - numCharacters);
      numCharacters += piece.length;
      yield `${piece}\n`;
      if (numCharacters >= maxCharacters) break;
    }
  }
  await pipeline(pieces, createWriteStream(file)).catch((error: unknown) => {
    throw explainWriteError(error, file);
  });
  if (numCharacters === 0)
    throw new TokenizerError(
      'a tokenizer to be trained: expected text to learn from, received none; name sources with text',
    );
}

/** Special tokens, the byte alphabet, then one token per kept merge (two merges may spell the same token). */
function chooseVocabulary(special: string[], pairs: [string, string][], numMerged: number, alphabet: string[]) {
  const ids = new Map<string, number>();
  for (const token of [...special, ...alphabet]) ids.set(token, ids.size);
  const limit = ids.size + numMerged;
  const kept: [string, string][] = [];
  for (const pair of pairs) {
    const token = pair[0] + pair[1];
    if (ids.size >= limit) break;
    kept.push(pair);
    if (!ids.has(token)) ids.set(token, ids.size);
  }
  return { vocab: Object.fromEntries(ids), kept };
}

function tokenizerJson(special: string[], vocab: Record<string, number>, merges: [string, string][]): unknown {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const model = {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
  };
  const bos = { SpecialToken: { id: '<s>', type_id: 0 } };
  const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({ id, content, ...flags })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: {
      type: 'TemplateProcessing',
      single: [bos, sequence('A', 0)],
      pair: [bos, sequence('A', 0), bos, sequence('B', 1)],
      special_tokens: { '<s>': { id: '<s>', ids: [special.indexOf('<s>')], tokens: ['<s>'] } },
    },
    decoder: byteLevel,
    model: { ...model, vocab, merges },
  };
}

function tokenizerConfig(special: string[]): unknown {
  const flags = { lstrip: false, normalized: false, rstrip: false, single_word: false, special: true };
  return {
    add_bos_token: true,
    add_eos_token: false,
    added_tokens_decoder: Object.fromEntries(special.map((content, id) => [id, { content, ...flags }])),
    bos_token: '<s>',
    eos_token: '</s>',
    pad_token: '<pad>',
    clean_up_tokenization_spaces: false,
    tokenizer_class: 'PreTrainedTokenizerFast',
    chat_template: TRAINED_CHAT_TEMPLATE,
  };
}
