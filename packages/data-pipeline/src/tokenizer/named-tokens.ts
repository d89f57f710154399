import { builtClass } from './class-difference.js';
import type { SideFiles } from './side-files.js';

/** The names that every tokenizer of transformers knows. */
export const STANDARD_NAMES = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'].map((kind) => `${kind}_token`);

const LLAMA = { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>' };
const ONE_FOR_ALL = { bos_token: '<|endoftext|>', eos_token: '<|endoftext|>', unk_token: '<|endoftext|>' };
const BART = { ...LLAMA, sep_token: '</s>', cls_token: '<s>', pad_token: '<pad>', mask_token: '<mask>' };

/** What classes of transformers name where the files do not. */
const NAMES_OF_CLASS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  LlamaTokenizer: LLAMA,
  CodeLlamaTokenizer: LLAMA,
  GemmaTokenizer: {
    bos_token: '<bos>',
    eos_token: '<eos>',
    unk_token: '<unk>',
    pad_token: '<pad>',
    mask_token: '<mask>',
  },
  Qwen2Tokenizer: { eos_token: '<|endoftext|>', unk_token: '<|endoftext|>', pad_token: '<|endoftext|>' },
  GPT2Tokenizer: ONE_FOR_ALL,
  CodeGenTokenizer: ONE_FOR_ALL,
  WhisperTokenizer: ONE_FOR_ALL,
  GPTNeoXTokenizer: { ...ONE_FOR_ALL, pad_token: '<|padding|>' },
  RobertaTokenizer: BART,
  BartTokenizer: BART,
};

/** Whether any file beside tokenizer.json speaks of special tokens. */
export const areTokensNamed = ({ tokenizerConfig, specialTokensMap }: SideFiles): boolean =>
  Object.keys(tokenizerConfig).length + Object.keys(specialTokensMap).length > 0;

/**
 * The keys of tokenizer_config.json as transformers 5 merges them: special_tokens_map.json wins, unless
 * `added_tokens_decoder` is there, which makes it a file that nobody reads.
 */
function merged({ tokenizerConfig, specialTokensMap }: SideFiles): Record<string, unknown> {
  return Object.hasOwn(tokenizerConfig, 'added_tokens_decoder')
    ? tokenizerConfig
    : { ...tokenizerConfig, ...specialTokensMap };
}

/**
 * What the files name, as they write it: the usual names, then those of the model (`image_token`). A null says that
 * there is none.
 */
export function namedTokens(files: SideFiles): Record<string, unknown> {
  const all = merged(files);
  const extra = extraTokens(all);
  const named = Object.entries(all).filter(
    ([key, value]) => STANDARD_NAMES.includes(key) || (key.endsWith('_token') && tokenText(value) !== undefined),
  );
  return { ...Object.fromEntries(named), ...(Array.isArray(extra) ? {} : extra) };
}

/** What the tokenizer's class names, where the files name nothing. */
export function namesOfClass({ tokenizerConfig, config }: SideFiles): Readonly<Record<string, string>> {
  return NAMES_OF_CLASS[builtClass(tokenizerConfig, config).name ?? ''] ?? {};
}

/** Special tokens that the files list without a name. */
export function listedTokens(files: SideFiles): unknown[] {
  const extra = extraTokens(merged(files));
  return Array.isArray(extra) ? extra : [];
}

function extraTokens(all: Record<string, unknown>): unknown[] | Record<string, unknown> {
  const given = [all['extra_special_tokens'], all['additional_special_tokens']];
  const found = given.find((value) => typeof value === 'object' && value !== null && Object.keys(value).length > 0);
  return (found ?? []) as unknown[] | Record<string, unknown>;
}

/** The text of a token, which files write as it is or as a mapping with its `content`. */
export function tokenText(value: unknown): string | undefined {
  const content = typeof value === 'string' ? value : (value as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : undefined;
}
