import path from 'node:path';
import type { SpecialIds } from './special-tokens.js';
import {
  TokenizerError,
  type BuildCore,
  type CoreName,
  type PlacedIds,
  type TokenizerCore,
  type TokenizerJson,
} from './tokenizer-core.js';
import { byteTokens } from './byte-alphabet.js';
import { literalJson } from './literal-json.js';
import { type EncodeTexts, PieceEncoder } from './piece-encoder.js';
import { pieceRule } from './piece-rule.js';
import { renamedSpecials, type RenderedText } from './rendered-text.js';

/** How text becomes ids. */
export interface EncodeOptions {
  /** Add what the tokenizer itself adds around a text, usually a BOS. Default true. */
  addSpecialTokens?: boolean;
  /** Let text that spells a special token become that token. Default false: data never holds control tokens. */
  parseSpecialTokens?: boolean;
}

/** What a tokenizer is made from. */
export interface TokenizerParts {
  json: TokenizerJson;
  config: Record<string, unknown>;
  special: SpecialIds;
  hash: string;
  /** The tokenizer.json. */
  file: string;
  /** Chat templates by name; the model's own is `default`. */
  chatTemplates: ReadonlyMap<string, string>;
  /** What `bos_token`, `eos_token` and the like are in templates; those that the model has none of are left out. */
  templateNames: Readonly<Record<string, string>>;
  /** Encode texts piece by piece where that gives the same ids, see `PieceRule`. */
  usesPieces: boolean;
}

/** Text to ids and back, as a Hugging Face `tokenizer.json` defines it. */
export class Tokenizer {
  /** One more than the largest id. */
  readonly vocabSize: number;
  readonly special: SpecialIds;
  /** SHA-256 of tokenizer.json, hexadecimal. */
  readonly hash: string;
  /** The tokenizer.json. */
  readonly file: string;
  /** Where it lies. */
  readonly folder: string;
  /** Chat templates (Jinja) by name. */
  readonly chatTemplates: ReadonlyMap<string, string>;
  /** What `bos_token`, `eos_token` and the like are in templates. */
  readonly templateNames: Readonly<Record<string, string>>;
  /** tokenizer_config.json, empty if there is none. */
  readonly config: Record<string, unknown>;
  private readonly parsing: TokenizerCore;
  private readonly tokens: ReadonlyMap<number, string>;
  private readonly specialIds: ReadonlySet<number>;
  private byteTokens: ReadonlyMap<number, Uint8Array> | undefined;
  private literal: EncodeTexts | undefined;
  private renamed: TokenizerCore | undefined;
  private longest: number | undefined;
  private around: Promise<{ prefix: Int32Array; suffix: Int32Array }> | undefined;

  constructor(
    private readonly parts: TokenizerParts,
    private readonly build: BuildCore,
    readonly core: CoreName,
  ) {
    this.special = parts.special;
    this.hash = parts.hash;
    this.file = parts.file;
    this.folder = path.dirname(parts.file);
    this.chatTemplates = parts.chatTemplates;
    this.templateNames = parts.templateNames;
    this.config = parts.config;
    this.parsing = build(parts.json, parts.config);
    this.vocabSize = this.parsing.vocabSize();
    this.specialIds = new Set((parts.json.added_tokens ?? []).filter(({ special }) => special).map(({ id }) => id));
    this.tokens = new Map((parts.json.added_tokens ?? []).map((token) => [token.id, token.content]));
  }

  /** The model's own chat template (Jinja), if it has one. */
  get chatTemplate(): string | undefined {
    return this.chatTemplates.get('default');
  }

  /** Finds the special tokens in a text, the longest at each place. */
  get specialPattern(): RegExp {
    const texts = this.specialTexts().sort((a, b) => b.length - a.length);
    return texts.length === 0 ? /(?!)/g : new RegExp(texts.map(escapePattern).join('|'), 'g');
  }

  /**
   * Ids of a rendered conversation as a whole, and where each lies in its text. Special tokens are parsed, but for those
   * that only a message spells.
   */
  async encodeRendered(rendered: RenderedText): Promise<PlacedIds> {
    if (rendered.literal.length === 0) return this.parsing.encodeWithPlaces(rendered.text);
    const { json, config } = this.parts;
    this.renamed ??= this.build(literalJson(json, true), config);
    const indexes = new Map((json.added_tokens ?? []).map(({ content }, index) => [content, index]));
    const { text, toOriginal } = renamedSpecials(rendered, this.specialPattern, indexes);
    const { ids, places } = await this.renamed.encodeWithPlaces(text);
    const moved = () => {
      const { starts, ends } = places();
      return { starts: starts.map(toOriginal), ends: ends.map(toOriginal) };
    };
    return { ids, places: moved };
  }

  /** Ids of one text. */
  async encode(text: string, options: EncodeOptions = {}): Promise<Int32Array> {
    return (await this.encodeBatch([text], options))[0]!;
  }

  /** Ids of many texts; the Rust core uses all processors. */
  async encodeBatch(texts: string[], options: EncodeOptions = {}): Promise<Int32Array[]> {
    const { addSpecialTokens = true, parseSpecialTokens = false } = options;
    if (texts.length === 0) return [];
    if (parseSpecialTokens) return this.parsing.encodeBatch(texts, addSpecialTokens);
    this.literal ??= this.literalEncoder();
    const encoded = await this.literal(texts);
    if (!addSpecialTokens) return encoded;
    const { prefix, suffix } = await (this.around ??= this.findAround());
    return prefix.length + suffix.length === 0 ? encoded : encoded.map((ids) => join([prefix, ids, suffix]));
  }

  /** Text of ids. @throws TokenizerError for an id outside the vocabulary. */
  async decode(ids: ArrayLike<number>, options: { skipSpecialTokens?: boolean } = {}): Promise<string> {
    const list = Array.from(ids);
    const wrong = list.find((id) => !(id >= 0 && id < this.vocabSize));
    if (wrong !== undefined) {
      throw new TokenizerError(`decode: expected ids in 0..${this.vocabSize - 1}, received ${wrong}`);
    }
    // Left out here, since the cores disagree about which of the tokens that training marked special they skip.
    const kept = options.skipSpecialTokens ? list.filter((id) => !this.specialIds.has(id)) : list;
    return kept.length === 0 ? '' : this.parsing.decode(kept);
  }

  /**
   * The bytes of a token that may hold parts of a character: its text is what they say, whatever stands before.
   * Undefined for tokens that are whole texts.
   */
  bytesOf(id: number): Uint8Array | undefined {
    this.byteTokens ??= byteTokens(this.parts.json);
    return this.byteTokens.get(id);
  }

  /** Whether `decode` replaces each invalid byte, not all of a broken character at once: byte fallback in the Rust core. */
  get replacesEachByte(): boolean {
    return this.core === 'rust' && !JSON.stringify(this.parts.json['decoder'] ?? null).includes('"ByteLevel"');
  }

  /** The text of an added token, such as the EOS; undefined for tokens of the model's own vocabulary. */
  specialText(id: number | undefined): string | undefined {
    return id === undefined ? undefined : this.tokens.get(id);
  }

  /** The most characters (UTF-16 units) that one token may spell. */
  get longestToken(): number {
    const { model, added_tokens = [] } = this.parts.json;
    if (this.longest !== undefined) return this.longest;
    let longest = 1;
    const names = Array.isArray(model.vocab) ? model.vocab.map(([name]) => name) : Object.keys(model.vocab);
    for (const name of names) longest = Math.max(longest, name.length);
    for (const { content } of added_tokens) longest = Math.max(longest, content.length);
    return (this.longest = longest);
  }

  /** The texts of all special tokens. */
  specialTexts(): string[] {
    return [...this.specialIds].map((id) => this.tokens.get(id)!);
  }

  private literalEncoder(): EncodeTexts {
    const { json, config, usesPieces } = this.parts;
    const literal = literalJson(json);
    let whole: TokenizerCore | undefined;
    const encodeWhole: EncodeTexts = (texts) => (whole ??= this.build(literal, config)).encodeBatch(texts, false);
    const rule = usesPieces ? pieceRule(literal) : undefined;
    if (!rule) return encodeWhole;
    const core = rule.prefix === '' ? undefined : this.build({ ...literal, normalizer: null }, config);
    const encode: EncodeTexts = core ? (texts) => core.encodeBatch(texts, false) : encodeWhole;
    const pieces = new PieceEncoder(rule, encode, encodeWhole);
    return (texts) => pieces.encodeBatch(texts);
  }

  /** Ids the tokenizer itself puts before and after every text. */
  private async findAround(): Promise<{ prefix: Int32Array; suffix: Int32Array }> {
    const [bare] = await this.parsing.encodeBatch(['a'], false);
    const [full] = await this.parsing.encodeBatch(['a'], true);
    for (let start = 0; start + bare!.length <= full!.length; start++) {
      if (bare!.every((id, i) => full![start + i] === id)) {
        return { prefix: full!.slice(0, start), suffix: full!.slice(start + bare!.length) };
      }
    }
    throw new TokenizerError(`${this.folder}: cannot tell which special tokens the post-processor adds around a text`);
  }
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** One array out of several, in order. */
export function join(parts: Int32Array[]): Int32Array {
  const whole = new Int32Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
