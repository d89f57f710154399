import { UserError } from '@lethe/run';

/** Who speaks in a turn of a conversation. */
export type Role = 'system' | 'user' | 'assistant';

/** One message of a conversation. */
export interface Turn {
  role: Role;
  content: string;
}

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
export interface TurnsDocument {
  turns: Turn[];
  place: Place;
}

/** What every source yields: plain text, or turns. */
export type Document = TextDocument | TurnsDocument;

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
 */
export function documentText(document: Document, template = '{prompt}\n{response}'): string {
  if ('text' in document) return document.text;
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
