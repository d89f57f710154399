import { isTargetTurn } from '../documents/conversation.js';
import { documentText, SourceError, type Document } from '../documents/document.js';
import { type Answers, ChatRenderer } from '../tokenizer/chat-template.js';
import { TokenizerError } from '../tokenizer/tokenizer-core.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { chatNotes, leftOut } from './chat-notes.js';

/** How documents become ids. */
export interface EncodingOptions {
  as: 'text' | 'chat' | 'ids';
  template?: string | undefined;
  chatTemplate?: string | undefined;
  addSpecialTokens: boolean;
  /** Which answers of conversations are targets. */
  answers: Answers;
  /** Whether text that spells a special token becomes that token. */
  specialTokens: 'text' | 'parse';
  /** Whether documents of ids come with masks. */
  hasMask: boolean;
}

/** A document as ids, or a part of one, with the target mask of instruction data. */
export interface EncodedPart {
  ids: Int32Array;
  mask?: Uint8Array;
  /** Whether the text ends as it is to end, so that no EOS is to follow. */
  isClosed?: boolean;
}

/** What became of a document: its parts, most often one, or why there is none. */
export interface EncodedDocument {
  parts: EncodedPart[];
  problem?: string;
  /** What changes the training and is no error. */
  notes: string[];
}

/** Makes ids of documents, each by itself: what becomes of one does not depend on the others. */
export type Encode = (documents: readonly Document[]) => Promise<EncodedDocument[]>;

/** @throws TokenizerError where the chat template cannot be used. */
export const createEncoder = (tokenizer: Tokenizer, options: EncodingOptions): Encode =>
  ENCODERS[options.as](tokenizer, options);

const ENCODERS = { text: textEncoder, chat: chatEncoder, ids: idsEncoder };

const wrong = (problem: string): EncodedDocument => ({ parts: [], problem, notes: [] });

/** @throws SourceError for an id outside the vocabulary: the ids are another tokenizer's. */
function idsEncoder(tokenizer: Tokenizer, { hasMask }: EncodingOptions): Encode {
  const encode = (document: Document): EncodedDocument => {
    if (!('ids' in document)) return { parts: [], notes: [] };
    const { ids, mask, place } = document;
    const outside = ids.findIndex((id) => id >= tokenizer.vocabSize);
    if (outside >= 0) {
      throw new SourceError(
        `${place.file}:${place.line}: token ${outside}: expected an id in 0..${tokenizer.vocabSize - 1}, received ` +
          `${ids[outside]}; give the tokenizer that made these ids`,
      );
    }
    if ((mask !== undefined) === hasMask) return { parts: [{ ids, ...(mask ? { mask } : {}) }], notes: [] };
    return wrong(`expected ${hasMask ? 'a' : 'no'} target mask, as in the first row`);
  };
  return async (documents) => documents.map(encode);
}

function textEncoder(tokenizer: Tokenizer, options: EncodingOptions): Encode {
  const { template, addSpecialTokens, specialTokens } = options;
  const special = tokenizer.specialPattern;
  const isParsed = specialTokens === 'parse';
  const spelled = isParsed ? 'documents spell special tokens, which become them' : SPELLED;
  const notesOf = (document: Document, text: string): string[] => [
    ...(text.search(special) >= 0 ? [spelled] : []),
    ...(template !== undefined && 'text' in document ? [UNTEMPLATED] : []),
    ...('turns' in document ? leftOut(document, undefined) : []),
  ];
  return async (documents) => {
    const texts = documents.map((document) => documentText(document, template));
    const ids = isParsed
      ? await parsedTexts(tokenizer, texts, addSpecialTokens)
      : await tokenizer.encodeBatch(texts, { addSpecialTokens });
    return documents.map((document, i) => ({ parts: [{ ids: ids[i]! }], notes: notesOf(document, texts[i]!) }));
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

function chatEncoder(tokenizer: Tokenizer, { chatTemplate, answers }: EncodingOptions): Encode {
  const renderer = new ChatRenderer(tokenizer, chatTemplate);
  const encode = async (document: Document): Promise<EncodedDocument> => {
    const problem = chatProblem(document);
    if (problem !== undefined) return wrong(problem);
    if (!('turns' in document)) return { parts: [], notes: [] };
    try {
      const rendered = await renderer.render(document, answers);
      const notes = [
        ...leftOut(document, renderer.source(document.tools !== undefined)),
        ...chatNotes(document, rendered, renderer.text(document)),
      ];
      return { parts: rendered.map(({ ids, mask }) => ({ ids, mask, isClosed: true })), notes };
    } catch (error) {
      if (!(error instanceof TokenizerError)) throw error;
      return wrong(error.message);
    }
  };
  return (documents) => Promise.all(documents.map(encode));
}

function chatProblem(document: Document): string | undefined {
  if (!('turns' in document)) return 'plain text has no assistant turn to learn from; prepare it as text';
  const hasAnswer = document.turns.some((turn) => isTargetTurn(turn) && (turn.content.trim() !== '' || turn.keys));
  return hasAnswer ? undefined : 'the conversation has no assistant turn to learn from';
}
