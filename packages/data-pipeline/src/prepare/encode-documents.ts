import { isTargetTurn } from '../documents/conversation.js';
import { documentText, SourceError, type Document, type WrongRow } from '../documents/document.js';
import { type Answers, ChatRenderer } from '../tokenizer/chat-template.js';
import { TokenizerError } from '../tokenizer/tokenizer-core.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { chatNotes, leftOut } from './chat-notes.js';

/** A document as ids, with the target mask of instruction data. */
export interface EncodedDocument {
  document: Document;
  ids: Int32Array;
  mask?: Uint8Array;
  /** Whether the text ends as it is to end, so that no EOS is to follow. */
  isClosed?: boolean;
  /** Whether another part of the same document follows. */
  isPart?: boolean;
}

/** How documents become ids. */
export interface EncodeDocumentsOptions {
  tokenizer: Tokenizer;
  as: 'text' | 'chat' | 'ids';
  template?: string | undefined;
  chatTemplate?: string | undefined;
  addSpecialTokens: boolean;
  /** Which answers of conversations are targets. */
  answers: Answers;
  /** Whether text that spells a special token becomes that token. */
  specialTokens: 'text' | 'parse';
  /** Whether documents of ids come with masks. */
  hasMask?: boolean;
  /** Told about documents that cannot be encoded. */
  onWrongRow: (row: WrongRow, document: Document) => void;
  /** Told what changes the training and is no error. */
  onNote: (file: string, text: string, document: Document) => void;
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

function textEncoder(options: EncodeDocumentsOptions) {
  const { tokenizer, template, addSpecialTokens, specialTokens, onNote } = options;
  const special = tokenizer.specialPattern;
  const isParsed = specialTokens === 'parse';
  const note = isParsed ? 'documents spell special tokens, which become them' : SPELLED;
  return async (batch: Document[]): Promise<EncodedDocument[]> => {
    const texts = batch.map((document) => documentText(document, template));
    const ids = isParsed
      ? await parsedTexts(tokenizer, texts, addSpecialTokens)
      : await tokenizer.encodeBatch(texts, { addSpecialTokens });
    return batch.map((document, i) => {
      if (texts[i]!.search(special) >= 0) onNote(document.place.file, note, document);
      if (template !== undefined && 'text' in document) onNote(document.place.file, UNTEMPLATED, document);
      if ('turns' in document)
        for (const text of leftOut(document, undefined)) onNote(document.place.file, text, document);
      return { document, ids: ids[i]! };
    });
  };
}

const UNTEMPLATED =
  'documents are text as they are, which `template` does not touch: it is for rows of a question and an answer';

const SPELLED =
  'documents spell special tokens, which stay text; if they are conversations that a chat template has rendered, ' +
  'prepare with --special-tokens parse';

/** Texts whose special tokens are parsed; those that begin with a BOS of their own get no other one. */
async function parsedTexts(tokenizer: Tokenizer, texts: string[], addSpecialTokens: boolean): Promise<Int32Array[]> {
  const plain = await tokenizer.encodeBatch(texts, { addSpecialTokens: false, parseSpecialTokens: true });
  if (!addSpecialTokens) return plain;
  const around = await tokenizer.encodeBatch(texts, { addSpecialTokens: true, parseSpecialTokens: true });
  return plain.map((ids, i) => (ids.length > 0 && ids[0] === tokenizer.special.bos ? ids : around[i]!));
}

function chatEncoder({ tokenizer, chatTemplate, answers, onWrongRow, onNote }: EncodeDocumentsOptions) {
  const renderer = new ChatRenderer(tokenizer, chatTemplate);
  const encode = async (document: Document): Promise<EncodedDocument[]> => {
    const reason = chatProblem(document);
    if (reason !== undefined) {
      onWrongRow({ ...document.place, reason }, document);
      return [];
    }
    if (!('turns' in document)) return [];
    try {
      const rendered = await renderer.render(document, answers);
      const notes = [
        ...leftOut(document, renderer.source(document.tools !== undefined)),
        ...chatNotes(document, rendered, renderer.text(document)),
      ];
      for (const text of notes) onNote(document.place.file, text, document);
      return rendered.map(({ ids, mask }, i) => ({
        document,
        ids,
        mask,
        isClosed: true,
        isPart: i + 1 < rendered.length,
      }));
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
  const hasAnswer = document.turns.some((turn) => isTargetTurn(turn) && (turn.content.trim() !== '' || turn.keys));
  return hasAnswer ? undefined : 'the conversation has no assistant turn to learn from';
}
