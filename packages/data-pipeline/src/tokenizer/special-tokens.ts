import { areTokensNamed, namedTokens, namesOfClass, STANDARD_NAMES, tokenText } from './named-tokens.js';
import type { SideFiles } from './side-files.js';
import type { TokenizerJson } from './tokenizer-core.js';

/** Ids with a meaning; undefined where the model has none. */
export interface SpecialIds {
  bos?: number;
  eos?: number;
  pad?: number;
  unk?: number;
  /** Every id that ends generation (`eos` and the further ones of generation_config.json). */
  stops: number[];
}

/** Names that tell an end or beginning of text when no file says so, most specific first. */
const USUAL = {
  bos: ['<s>', '<|begin_of_text|>', '<|startoftext|>', '[BOS]', '<bos>', '<|start_story|>'],
  eos: ['</s>', '<|end_of_text|>', '<|endoftext|>', '[EOS]', '<eos>', '<|end_story|>', '<|im_end|>'],
  pad: ['<pad>', '[PAD]', '<|pad|>', '<|finetune_right_pad_id|>'],
  unk: ['<unk>', '[UNK]'],
};

/** Special ids: what the files name, then generation_config.json, config.json, usual names. */
export function findSpecialIds(json: TokenizerJson, files: SideFiles): SpecialIds {
  const ids = idsByContent(json);
  const names = namedTokens(files);
  const byName = (value: unknown): number | undefined => {
    const content = tokenText(value);
    return content === undefined ? undefined : ids.get(content);
  };
  const find = (kind: keyof typeof USUAL): number | undefined => {
    const name = `${kind}_token`;
    // A null says that there is none; only a text must end somehow.
    if (names[name] === null && kind !== 'eos') return undefined;
    return (
      byName(names[name]) ??
      idList(files.generationConfig[`${name}_id`])[0] ??
      idList(files.config[`${name}_id`])[0] ??
      USUAL[kind].map((usual) => ids.get(usual)).find((id) => id !== undefined)
    );
  };
  const eos = find('eos');
  const stops = [eos, ...idList(files.generationConfig['eos_token_id'] ?? files.config['eos_token_id'])];
  const found = { bos: find('bos'), eos, pad: find('pad'), unk: find('unk') };
  return {
    ...Object.fromEntries(Object.entries(found).filter(([, id]) => id !== undefined)),
    stops: [...new Set(stops.filter((id) => id !== undefined))],
  };
}

/**
 * What templates see as `bos_token` and the like: what the files name; where no file speaks of special tokens, `usual`
 * gives them.
 */
export function templateNames(files: SideFiles, usual: (name: string) => string | undefined): Record<string, string> {
  const names = { ...namesOfClass(files), ...namedTokens(files) };
  const found = areTokensNamed(files)
    ? Object.keys(names).map((name) => [name, tokenText(names[name])])
    : STANDARD_NAMES.map((name) => [name, usual(name)]);
  return Object.fromEntries(found.filter(([, text]) => text !== undefined)) as Record<string, string>;
}

/** Ids of all tokens by their content; added tokens win. */
export function idsByContent(json: TokenizerJson): Map<string, number> {
  const { vocab } = json.model;
  const entries = Array.isArray(vocab)
    ? vocab.map(([token], id): [string, number] => [token, id])
    : Object.entries(vocab);
  const added = (json.added_tokens ?? []).map((token): [string, number] => [token.content, token.id]);
  return new Map([...entries, ...added]);
}

function idList(value: unknown): number[] {
  return (Array.isArray(value) ? value : [value]).filter((id): id is number => Number.isInteger(id));
}
