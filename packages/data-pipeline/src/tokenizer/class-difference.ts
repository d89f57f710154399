import type { TokenizerJson } from './tokenizer-core.js';

/**
 * Why transformers 5 gives other ids than tokenizer.json says: for some classes of tokenizer_config.json it takes the
 * vocabulary alone and builds the rest itself. Undefined where the two agree, or the class is built from the file.
 */
export function classDifference(json: TokenizerJson, config: Record<string, unknown>): string | undefined {
  const written = config['tokenizer_class'];
  const name = typeof written === 'string' ? written.replace(/Fast$/, '') : '';
  if (!Object.hasOwn(DIFFERENCES, name)) return undefined;
  const difference = DIFFERENCES[name]!(json);
  if (difference === undefined) return undefined;
  return (
    `tokenizer_class ${String(written)}: transformers builds a tokenizer of its own, whose ids differ from those of ` +
    `tokenizer.json, which are used here, ${difference}; compare AutoTokenizer.from_pretrained(FOLDER) with ` +
    `PreTrainedTokenizerFast(tokenizer_file="FOLDER/tokenizer.json") on your texts, and train and serve with one of them`
  );
}

const EVERYWHERE = 'on nearly every text';
type Part = { type?: string } & Record<string, unknown>;

/** What a class builds, beside what the file says. */
const DIFFERENCES: Record<string, (json: TokenizerJson) => string | undefined> = {
  // BPE over whole texts with U+2581 for spaces, put before a text that does not begin with one.
  LlamaTokenizer(json) {
    const { words, normalizers } = partsOf(json);
    const isMetaspace = words.length === 1 && words[0]!.type === 'Metaspace' && words[0]!['split'] === false;
    if (isMetaspace && normalizers.length === 0) return undefined;
    const kinds = normalizers.map(({ type }) => type);
    const isPrepended = words.length === 0 && kinds.at(-2) === 'Prepend' && kinds.at(-1) === 'Replace';
    if (!isPrepended && !isMetaspace) return EVERYWHERE;
    const others =
      kinds.length > 2 || isMetaspace ? ', and where the normalizer of tokenizer.json changes the text' : '';
    return `where a text begins with a space, and beside special tokens${others}`;
  },
  Qwen2Tokenizer(json) {
    const { words, normalizers } = partsOf(json);
    if (!hasByteLevel(words)) return EVERYWHERE;
    const isSplit = words.some(
      ({ type, pattern }) => type === 'Split' && JSON.stringify(pattern).includes("(?i:'s|'t|'re"),
    );
    if (!isSplit) return 'where it cuts texts into other words';
    return normalizers.some(({ type }) => type === 'NFC') ? undefined : 'where a text is not in the normal form NFC';
  },
  GPT2Tokenizer(json) {
    const { words, normalizers } = partsOf(json);
    if (!hasByteLevel(words)) return EVERYWHERE;
    if (words.length > 1 || words[0]!['use_regex'] === false) return 'where it cuts texts into other words';
    return normalizers.length === 0 ? undefined : 'where the normalizer of tokenizer.json changes the text';
  },
};

const hasByteLevel = (words: Part[]): boolean => words.some(({ type }) => type === 'ByteLevel');

/** The pre-tokenizers and normalizers of a file, those of a sequence one by one. */
function partsOf(json: TokenizerJson): { words: Part[]; normalizers: Part[] } {
  const listed = (value: unknown, key: string): Part[] => {
    const part = value as Part | null | undefined;
    if (!part) return [];
    return part.type === 'Sequence' ? ((part[key] as Part[] | undefined) ?? []) : [part];
  };
  return {
    words: listed(json['pre_tokenizer'], 'pretokenizers'),
    normalizers: listed(json['normalizer'], 'normalizers'),
  };
}
