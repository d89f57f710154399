import { documentText, type Document, type WrongRow } from '../documents/document.js';
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
  as: 'text' | 'chat';
  template?: string | undefined;
  chatTemplate?: string | undefined;
  addSpecialTokens: boolean;
  /** Told about documents that cannot be encoded. */
  onWrongRow: (row: WrongRow) => void;
}

/** Documents encoded together, at most. */
const MAX_DOCUMENTS = 512;
const MAX_CHARACTERS = 2 ** 18;

/** Encodes documents in order, in batches, reading and encoding one batch ahead. */
export async function* encodeDocuments(
  documents: AsyncIterable<Document>,
  options: EncodeDocumentsOptions,
): AsyncGenerator<EncodedDocument> {
  const encode = options.as === 'chat' ? chatEncoder(options) : textEncoder(options);
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
    numCharacters +=
      'text' in document ? document.text.length : document.turns.reduce((n, turn) => n + turn.content.length, 0);
    if (batch.length < MAX_DOCUMENTS && numCharacters < MAX_CHARACTERS) continue;
    yield batch;
    batch = [];
    numCharacters = 0;
  }
  if (batch.length > 0) yield batch;
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
      onWrongRow({ ...document.place, reason });
      return [];
    }
    try {
      return [{ document, ...(await renderer.render('turns' in document ? document.turns : [])) }];
    } catch (error) {
      if (!(error instanceof TokenizerError)) throw error;
      onWrongRow({ ...document.place, reason: error.message });
      return [];
    }
  };
  return async (batch: Document[]) => (await Promise.all(batch.map(encode))).flat();
}

function chatProblem(document: Document): string | undefined {
  if ('text' in document) return 'plain text has no assistant turn to learn from; prepare it as text';
  const hasAnswer = document.turns.some((turn) => turn.role === 'assistant' && turn.content.trim() !== '');
  return hasAnswer ? undefined : 'the conversation has no assistant turn to learn from';
}
