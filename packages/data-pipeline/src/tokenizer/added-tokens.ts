import { listedTokens, namedTokens, tokenText } from './named-tokens.js';
import type { SideFiles } from './side-files.js';
import { type AddedTokenJson, TokenizerError, type TokenizerJson } from './tokenizer-core.js';

const FLAGS = ['special', 'normalized', 'lstrip', 'rstrip', 'single_word'] as const;
type Flags = Partial<Record<(typeof FLAGS)[number], boolean>>;
type Token = { content: string } & Flags;

/** A tokenizer with what the files beside it add. */
export interface Completed {
  json: TokenizerJson;
  /** Whether anything was added or changed. */
  isChanged: boolean;
  /** Tokens that would get ids which the model has no embedding for; they are left out. */
  beyond: string[];
}

/**
 * tokenizer.json with the added tokens of the files beside it, as transformers adds them: those of
 * `added_tokens_decoder`, or else of added_tokens.json, whose flags win, then special tokens that are named or listed
 * and not there yet. New tokens are numbered in this order after all others, whatever number their file gives them.
 * A `pad_token` that the vocabulary lacks is not added: nothing here pads.
 * @throws TokenizerError for entries that are no tokens.
 */
export function withAddedTokens(json: TokenizerJson, files: SideFiles, where: string): Completed {
  const { vocab } = json.model;
  const ids = new Map(
    Array.isArray(vocab) ? vocab.map(([token], id): [string, number] => [token, id]) : Object.entries(vocab),
  );
  const tokens = new Map((json.added_tokens ?? []).map((token) => [token.content, token]));
  const limit = files.config['vocab_size'];
  const beyond: string[] = [];
  let isChanged = false;
  let next = [...tokens.values()].reduce((most, { id }) => Math.max(most, id + 1), ids.size);
  for (const { content, ...flags } of tokensBeside(files, tokens, where)) {
    const known = tokens.get(content);
    const id = known?.id ?? ids.get(content) ?? next;
    if (id === next && typeof limit === 'number' && id >= limit) {
      beyond.push(content);
      continue;
    }
    const token = { ...DEFAULTS(flags.special), ...known, ...flags, id, content } as AddedTokenJson;
    if (known && FLAGS.every((flag) => known[flag] === token[flag])) continue;
    tokens.set(content, token);
    isChanged = true;
    if (id === next) next++;
  }
  return { json: isChanged ? { ...json, added_tokens: [...tokens.values()] } : json, isChanged, beyond };
}

const DEFAULTS = (special = false): Flags => ({
  special,
  normalized: !special,
  lstrip: false,
  rstrip: false,
  single_word: false,
});

function tokensBeside(files: SideFiles, tokens: ReadonlyMap<string, AddedTokenJson>, where: string): Token[] {
  const { pad_token: pad, ...names } = namedTokens(files);
  const written = tokensOfFiles(files, [...Object.values(names), pad, ...listedTokens(files)], where);
  const known = new Set([...tokens.keys(), ...written.map(({ content }) => content)]);
  const named = [...Object.values(names), ...listedTokens(files)].flatMap((value) => {
    const content = tokenText(value);
    if (content === undefined || content === '' || known.has(content)) return [];
    known.add(content);
    return [{ ...(typeof value === 'object' ? flagsOf(value as object) : {}), special: true, content }];
  });
  return [...written, ...named];
}

/** The tokens of `added_tokens_decoder`, or of added_tokens.json; in the latter those that are named are special. */
function tokensOfFiles({ tokenizerConfig, addedTokens }: SideFiles, special: unknown[], where: string): Token[] {
  const decoder = tokenizerConfig['added_tokens_decoder'];
  const byId = ([a]: [number, unknown], [b]: [number, unknown]): number => a - b;
  if (decoder === undefined) {
    const texts = new Set(special.map(tokenText));
    return Object.entries(addedTokens)
      .map(([content, id]): [number, Token] => [Number(id), { content, ...DEFAULTS(texts.has(content)) }])
      .sort(byId)
      .map(([, token]) => token);
  }
  const entries = Object.entries((decoder ?? {}) as object).map(([id, token]): [number, unknown] => [
    Number(id),
    token,
  ]);
  return entries.sort(byId).map(([id, token]) => {
    const content = typeof token === 'object' ? tokenText(token) : undefined;
    if (content !== undefined) return { ...DEFAULTS(), ...flagsOf(token as object), content };
    throw new TokenizerError(
      `${where}: added_tokens_decoder of tokenizer_config.json: expected a mapping with "content" for ${id}`,
    );
  });
}

function flagsOf(token: object): Flags {
  return Object.fromEntries(Object.entries(token).filter(([key]) => (FLAGS as readonly string[]).includes(key)));
}
