import type { TokenizerJson } from './tokenizer-core.js';

/**
 * Why transformers 5 gives other ids than tokenizer.json says: for some classes it takes the vocabulary alone and builds
 * the rest itself. The class is that of tokenizer_config.json, or one that goes with the model's type. Undefined where the
 * two agree, or the class is built from the file.
 * @param config tokenizer_config.json.
 * @param model config.json, empty where there is none.
 */
export function classDifference(
  json: TokenizerJson,
  config: Record<string, unknown>,
  model: Record<string, unknown> = {},
): string | undefined {
  const { name, why } = builtClass(config, model);
  if (name === undefined || FROM_FILE.has(name)) return undefined;
  const difference = DIFFERENCES[name]?.(json, config);
  const compare =
    `compare AutoTokenizer.from_pretrained(FOLDER) with ` +
    `PreTrainedTokenizerFast(tokenizer_file="FOLDER/tokenizer.json") on your texts, and train and serve with one of them`;
  if (!Object.hasOwn(DIFFERENCES, name))
    return `${why}: transformers may build a tokenizer of its own, which Lethe does not know; tokenizer.json is used here; ${compare}`;
  if (difference === undefined) return undefined;
  return (
    `${why}: transformers builds a tokenizer of its own, whose ids differ from those of ` +
    `tokenizer.json, which are used here, ${difference}; ${compare}`
  );
}

/** Classes that transformers reads from tokenizer.json, or does not know and therefore reads from there. */
const FROM_FILE = new Set(['PreTrainedTokenizer', 'TokenizersBackend', 'BloomTokenizer', 'Qwen3Tokenizer']);

/** The class that transformers builds: one for all Qwen2 models, none of its own for Mistral's. */
export function builtClass(
  config: Record<string, unknown>,
  model: Record<string, unknown>,
): { name: string | undefined; why: string } {
  const type = model['model_type'];
  const written = config['tokenizer_class'] ?? model['tokenizer_class'];
  if (type === 'mistral') return { name: undefined, why: '' };
  if (type === 'qwen2' || (type === 'qwen3' && typeof written !== 'string'))
    return { name: 'Qwen2Tokenizer', why: `model_type ${type}, read with Qwen2Tokenizer` };
  const name = typeof written === 'string' ? written.replace(/Fast$/, '') : undefined;
  return { name, why: `tokenizer_class ${String(written)}` };
}

const EVERYWHERE = 'on nearly every text';
const OTHER_WORDS = 'where it cuts texts into other words';
const NORMALIZED = 'where the normalizer of tokenizer.json changes the text';
/** The words of Qwen2Tokenizer. */
const QWEN_WORDS =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

type Part = { type?: string } & Record<string, unknown>;
type Difference = (json: TokenizerJson, config: Record<string, unknown>) => string | undefined;

/** BPE over whole texts with U+2581 for spaces, put before a text that does not begin with one. */
const metaspace: Difference = (json) => {
  const { words, normalizers } = partsOf(json);
  const isMetaspace = words.length === 1 && words[0]!.type === 'Metaspace' && words[0]!['split'] === false;
  if (isMetaspace && normalizers.length === 0) return undefined;
  const kinds = normalizers.map(({ type }) => type);
  const isPrepended = words.length === 0 && kinds.at(-2) === 'Prepend' && kinds.at(-1) === 'Replace';
  if (!isPrepended && !isMetaspace) return EVERYWHERE;
  const others = kinds.length > 2 || isMetaspace ? `, and ${NORMALIZED}` : '';
  return `where a text begins with a space, and beside special tokens${others}`;
};

/** Byte-level BPE: its words, its normal form, and whether a space is put before a text. */
function byteLevel(isWords: (words: Part[]) => boolean, normalForm?: string): Difference {
  return (json, config) => {
    const { words, normalizers } = partsOf(json);
    const bytes = words.find(({ type }) => type === 'ByteLevel');
    if (!bytes || Boolean(bytes['add_prefix_space']) !== Boolean(config['add_prefix_space'])) return EVERYWHERE;
    if (!isWords(words)) return OTHER_WORDS;
    if (normalizers.some(({ type }) => type !== normalForm)) return NORMALIZED;
    return normalForm !== undefined && normalizers.length === 0
      ? `where a text is not in the normal form ${normalForm}`
      : undefined;
  };
}

const isGpt2Words = (words: Part[]): boolean => words.length === 1 && words[0]!['use_regex'] !== false;

function isQwenWords([split, bytes, ...rest]: Part[]): boolean {
  const pattern = split!['pattern'] as { Regex?: string } | undefined;
  const isSplit = split!.type === 'Split' && pattern?.Regex === QWEN_WORDS && split!['behavior'] !== 'Removed';
  return isSplit && bytes?.['use_regex'] === false && rest.length === 0;
}

function isCohereWords([digits, bytes, ...rest]: Part[]): boolean {
  const isDigits = digits!.type === 'Digits' && digits!['individual_digits'] === true;
  return isDigits && bytes !== undefined && bytes['use_regex'] !== false && rest.length === 0;
}

/** BPE over words that end with a space, with U+2581 for spaces. */
const gemma: Difference = (json) => {
  const { words, normalizers } = partsOf(json);
  const isSplit = words.length === 1 && words[0]!.type === 'Split';
  return isSplit && normalizers.length === 1 && normalizers[0]!.type === 'Replace' ? undefined : EVERYWHERE;
};

const gpt2 = byteLevel(isGpt2Words);
const everywhere: Difference = () => EVERYWHERE;

/** What a class builds, beside what the file says. */
const DIFFERENCES: Readonly<Record<string, Difference>> = {
  LlamaTokenizer: metaspace,
  CodeLlamaTokenizer: metaspace,
  GemmaTokenizer: gemma,
  Qwen2Tokenizer: byteLevel(isQwenWords, 'NFC'),
  GPT2Tokenizer: gpt2,
  RobertaTokenizer: gpt2,
  BartTokenizer: gpt2,
  WhisperTokenizer: gpt2,
  CodeGenTokenizer: gpt2,
  GPTNeoXTokenizer: byteLevel(isGpt2Words, 'NFC'),
  CohereTokenizer: byteLevel(isCohereWords, 'NFC'),
  BertTokenizer: everywhere,
  CLIPTokenizer: everywhere,
  OpenAIGPTTokenizer: everywhere,
};

/** The pre-tokenizers and normalizers of a file, those of a sequence one by one. */
function partsOf(json: TokenizerJson): { words: Part[]; normalizers: Part[] } {
  return {
    words: listed(json['pre_tokenizer'], 'pretokenizers'),
    normalizers: listed(json['normalizer'], 'normalizers'),
  };
}

function listed(value: unknown, key: string): Part[] {
  const part = value as Part | null | undefined;
  if (!part) return [];
  return part.type === 'Sequence' ? ((part[key] as Part[] | undefined) ?? []) : [part];
}
