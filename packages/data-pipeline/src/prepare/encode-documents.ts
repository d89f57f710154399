import { documentText, SourceError, type Document, type WrongRow } from '../documents/document.js';
import { ChatRenderer } from '../tokenizer/chat-template.js';
import { TokenizerError } from '../tokenizer/tokenizer-core.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';

/** A document as ids, with the target mask of instruction data. */
export interface EncodedDocument {
  document: Document;
  ids: Int32Array;
  mask?: Uint8Array;
}

/** How documents become ids. */
export interface EncodeDocumentsOptions {
  tokenizer: Tokenizer;
  as: 'text' | 'chat' | 'ids';
  template?: string | undefined;
  chatTemplate?: string | undefined;
  addSpecialTokens: boolean;
  /** Whether documents of ids come with masks. */
  hasMask?: boolean;
  /** Told about documents that cannot be encoded. */
  onWrongRow: (row: WrongRow, document: Document) => void;
}

/** Documents encoded together, at most. */
const MAX_DOCUMENTS = 512;
const MAX_CHARACTERS = 2 ** 18;

/** Encodes documents in order, in batches, reading and encoding one batch ahead. */
export async function* encodeDocuments(
  documents: AsyncIterable<Document>,
  options: EncodeDocumentsOptions,
): AsyncGenerator<EncodedDocument> {
  const encode = ENCODERS[options.as](options);
  let pending: Promise<EncodedDocument[]> | undefined;
  for await (const batch of gather(documents)) {
    const next = encode(batch);
    next.catch(() => undefined); // reported when awaited, below
    if (pending) yield* await pending;
    pending = next;
  }
  if (pending) yield* await pending;
}

async function* gather(documents: AsyncIterable<Document>): AsyncGenerator<Document[]> {
  let batch: Document[] = [];
  let numCharacters = 0;
  for await (const document of documents) {
    batch.push(document);
    numCharacters += sizeOf(document);
    if (batch.length < MAX_DOCUMENTS && numCharacters < MAX_CHARACTERS) continue;
    yield batch;
    batch = [];
    numCharacters = 0;
  }
  if (batch.length > 0) yield batch;
}

function sizeOf(document: Document): number {
  if ('text' in document) return document.text.length;
  return 'ids' in document ? document.ids.length : document.turns.reduce((n, turn) => n + turn.content.length, 0);
}

const ENCODERS = { text: textEncoder, chat: chatEncoder, ids: idsEncoder };

/** @throws SourceError for an id outside the vocabulary: the ids are another tokenizer's. */
function idsEncoder({ tokenizer, hasMask = false, onWrongRow }: EncodeDocumentsOptions) {
  const encode = (document: Document): EncodedDocument[] => {
    if (!('ids' in document)) return [];
    const { ids, mask, place } = document;
    const wrong = ids.findIndex((id) => id >= tokenizer.vocabSize);
    if (wrong >= 0) {
      throw new SourceError(
        `${place.file}:${place.line}: token ${wrong}: expected an id in 0..${tokenizer.vocabSize - 1}, received ` +
          `${ids[wrong]}; give the tokenizer that made these ids`,
      );
    }
    if ((mask !== undefined) === hasMask) return [{ document, ids, ...(mask ? { mask } : {}) }];
    onWrongRow({ ...place, reason: `expected ${hasMask ? 'a' : 'no'} target mask, as in the first row` }, document);
    return [];
  };
  return async (batch: Document[]): Promise<EncodedDocument[]> => batch.flatMap(encode);
}

function textEncoder({ tokenizer, template, addSpecialTokens }: EncodeDocumentsOptions) {
  return async (batch: Document[]): Promise<EncodedDocument[]> => {
    const ids = await tokenizer.encodeBatch(
      batch.map((document) => documentText(document, template)),
      { addSpecialTokens },
    );
    return batch.map((document, i) => ({ document, ids: ids[i]! }));
  };
}

function chatEncoder({ tokenizer, chatTemplate, onWrongRow }: EncodeDocumentsOptions) {
  const renderer = new ChatRenderer(tokenizer, chatTemplate);
  const encode = async (document: Document): Promise<EncodedDocument[]> => {
    const reason = chatProblem(document);
    if (reason !== undefined) {
      onWrongRow({ ...document.place, reason }, document);
      return [];
    }
    try {
      return [{ document, ...(await renderer.render('turns' in document ? document.turns : [])) }];
    } catch (error) {
      if (!(error instanceof TokenizerError)) throw error;
      onWrongRow({ ...document.place, reason: error.message }, document);
      return [];
    }
  };
  return async (batch: Document[]) => (await Promise.all(batch.map(encode))).flat();
}

function chatProblem(document: Document): string | undefined {
  if (!('turns' in document)) return 'plain text has no assistant turn to learn from; prepare it as text';
  const hasAnswer = document.turns.some((turn) => turn.role === 'assistant' && turn.content.trim() !== '');
  return hasAnswer ? undefined : 'the conversation has no assistant turn to learn from';
}
