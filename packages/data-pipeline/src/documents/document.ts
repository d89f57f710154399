import { UserError } from '@lethe/run';
import type { Conversation } from './conversation.js';

/** Where a document came from; `line` counts from 1 (the row number in formats without lines). */
export interface Place {
  file: string;
  line: number;
}

/** Plain text with its place. */
export interface TextDocument {
  text: string;
  place: Place;
}

/** A conversation or a question-answer pair with its place. */
export interface TurnsDocument extends Conversation {
  place: Place;
}

/** Token ids that another program made, with its target mask if it has one, and their place. */
export interface IdsDocument {
  ids: Int32Array;
  /** 1 where the token is a training target. */
  mask?: Uint8Array;
  place: Place;
}

/** What every source yields: plain text, turns, or ids where ids are asked for. */
export type Document = TextDocument | TurnsDocument | IdsDocument;

/** Bytes by which documents are told apart: those of equal content are equal. */
export function documentContent(document: Document): string | Uint8Array {
  if ('ids' in document) return new Uint8Array(document.ids.buffer, document.ids.byteOffset, document.ids.byteLength);
  if ('text' in document) return document.text;
  const { turns, tools, documents, variables } = document;
  const spoken = turns.map(({ role, content, keys }) => (keys ? [role, content, keys] : [role, content]));
  const content = tools || documents || variables ? [spoken, tools, documents, variables] : spoken;
  // Columns of whole numbers come as BigInt.
  return JSON.stringify(content, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

/** A row that could not be used, with the reason. */
export interface WrongRow extends Place {
  reason: string;
}

/** Raised by unreadable sources and, in strict mode, by the first wrong row. */
export class SourceError extends UserError {}

/** The separator between the turns of a multi-turn conversation rendered as plain text. */
const TURN_SEPARATOR = '\n';

/**
 * Plain text of a document, as pre-training sees it: text unchanged, turns through the template
 * (`{prompt}` = system and user content, `{response}` = assistant content), pair by pair.
 * @throws SourceError for ids, which have no text.
 */
export function documentText(document: Document, template = '{prompt}\n{response}'): string {
  if ('text' in document) return document.text;
  if ('ids' in document) {
    throw new SourceError(`${document.place.file}:${document.place.line}: expected text, received token ids`);
  }
  const pairs: { prompt: string[]; response: string[] }[] = [];
  for (const turn of document.turns) {
    const isAnswer = turn.role === 'assistant';
    let pair = pairs.at(-1);
    if (!pair || (!isAnswer && pair.response.length > 0)) pairs.push((pair = { prompt: [], response: [] }));
    (isAnswer ? pair.response : pair.prompt).push(turn.content);
  }
  return pairs.map((pair) => fillTemplate(template, pair)).join(TURN_SEPARATOR);
}

function fillTemplate(template: string, pair: { prompt: string[]; response: string[] }): string {
  const values = { prompt: pair.prompt.join(TURN_SEPARATOR), response: pair.response.join(TURN_SEPARATOR) };
  if (pair.prompt.length === 0) return values.response;
  if (pair.response.length === 0) return values.prompt;
  return template.replace(/\{(prompt|response)\}/g, (_, key: 'prompt' | 'response') => values[key]);
}
