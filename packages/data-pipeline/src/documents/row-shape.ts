import { asText, describe, valueAt, type Columns, type Preference, type ShapedRow } from './columns.js';
import type { Turn } from './conversation.js';
import { shapeIds } from './ids-shape.js';
import { readMessages } from './read-messages.js';
import { isGiven, unusedColumns, withContext } from './row-context.js';

type Row = Record<string, unknown>;

interface Shape {
  name: string;
  /** Columns without which the row has another shape. */
  needs: string[];
  columns: Columns;
  isList?: boolean;
}

/** In the order in which they are tried. */
const SHAPES: Shape[] = [
  { name: 'text', needs: ['text'], columns: { text: 'text' } },
  { name: 'messages', needs: ['messages'], columns: { messages: 'messages' }, isList: true },
  { name: 'conversations', needs: ['conversations'], columns: { messages: 'conversations' }, isList: true },
  pairShape('instruction', 'output'),
  pairShape('instruction', 'response'),
  pairShape('query', 'response'),
  pairShape('question', 'answer'),
  pairShape('prompt', 'response'),
  pairShape('prompt', 'completion'),
];

/**
 * Reads one row as plain text or as turns. Known shapes are recognised by the columns that say something, so that a
 * schema for several shapes, with nulls in between, reads as the one that is filled in; `columns` names any other.
 * With `prefer: 'turns'` a row that has both a `text` column and a question-answer pair is read as the pair; with
 * `prefer: 'ids'` only token ids are read. `unused` of the result names columns that change a row's meaning and are not
 * used.
 */
export function shapeRow(value: unknown, columns?: Columns, prefer: Preference = 'text'): ShapedRow {
  if (prefer === 'ids') return shapeIds(value, columns);
  if (typeof value === 'string')
    return isGiven(value) ? { shape: 'string', text: value } : { problem: 'the text is empty' };
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return { problem: `expected an object with named columns, received ${describe(value)}` };
  }
  const row = value as Row;
  if (columns) return readColumns(row, columns, 'columns');
  const shapes = prefer === 'turns' ? [...SHAPES.slice(1), SHAPES[0]!] : SHAPES;
  const shape = findShape(row, shapes);
  if (shape) return readColumns(row, shape.columns, shape.name);
  const keys = Object.keys(row).slice(0, 8).join(', ');
  return {
    problem: `no known row shape has the columns {${keys}}; name them with "columns"${Object.hasOwn(row, 'input_ids') ? ', or prepare input_ids with --as ids' : ''}`,
  };
}

/** The first shape whose columns all say something, else the first whose columns are there, which then is a wrong row. */
function findShape(row: Row, shapes: Shape[]): Shape | undefined {
  const fits = (shape: Shape, isThere: (value: unknown) => boolean): boolean =>
    shape.needs.every((name) => isThere(row[name]) && (!shape.isList || Array.isArray(row[name])));
  return (
    shapes.find((shape) => fits(shape, isGiven)) ??
    shapes.find((shape) => fits(shape, (value) => value !== undefined && value !== null)) ??
    shapes.find((shape) => !shape.isList && shape.needs.every((name) => Object.hasOwn(row, name)))
  );
}

function readColumns(row: Row, columns: Columns, shape: string): ShapedRow {
  if (columns.text !== undefined) {
    const text = textAt(row, columns.text);
    return 'problem' in text ? text : told({ shape, text: text.text }, unusedColumns(row, [columns.text]));
  }
  const read = readTurns(row, columns);
  if ('problem' in read) return read;
  // Columns that a recipe names are all that it wants.
  const isNamed = shape === 'columns';
  const context = isNamed ? named(row, columns) : row;
  const conversation = withContext(context, read.turns, columns);
  if ('problem' in conversation) return conversation;
  const { used, ...content } = conversation;
  return told({ shape, ...content }, unusedColumns(row, [...Object.values(columns), ...read.used, ...used]));
}

const told = <Content extends ShapedRow>(content: Content, unused: string[]): Content =>
  unused.length > 0 ? { ...content, unused } : content;

/** The row with the context columns that are named, and no others. */
function named(row: Row, { system, tools }: Columns): Row {
  const names = [system, tools].filter((name) => name !== undefined);
  return Object.fromEntries(names.map((name) => [name, valueAt(row, name)]));
}

function readTurns(row: Row, columns: Columns): { turns: Turn[]; used: string[] } | { problem: string } {
  if (columns.messages !== undefined) {
    const read = readMessages(valueAt(row, columns.messages), columns.messages);
    return 'problem' in read ? read : { ...read, used: [] };
  }
  if (columns.prompt === undefined && columns.response === undefined) {
    return { problem: '"columns" must name text, messages, or prompt and response' };
  }
  const prompt = columns.prompt === undefined ? undefined : valueAt(row, columns.prompt);
  return Array.isArray(prompt) ? readMessagePair(row, columns) : readPair(row, columns);
}

/** A prompt and a completion that are lists of messages; the answers of the prompt are not learnt. */
function readMessagePair(
  row: Row,
  { prompt, response }: Columns,
): { turns: Turn[]; used: string[] } | { problem: string } {
  const before = readMessages(valueAt(row, prompt!), prompt!);
  const after = readMessages(valueAt(row, response ?? ''), response ?? '');
  if ('problem' in before) return before;
  if ('problem' in after) return after;
  const given = before.turns.map((turn) => (turn.role === 'assistant' ? { ...turn, isTarget: false } : turn));
  return { turns: [...given, ...after.turns], used: [] };
}

function readPair(row: Row, columns: Columns): { turns: Turn[]; used: string[] } | { problem: string } {
  const turns: Turn[] = [];
  const used: string[] = [];
  if (columns.prompt !== undefined) {
    const prompt = textAt(row, columns.prompt);
    if ('problem' in prompt) return prompt;
    const name = columns.input === 'input' && !isGiven(row['input']) ? 'context' : columns.input;
    const input = name === undefined ? undefined : asText(valueAt(row, name));
    if (input !== undefined && input !== null && typeof input !== 'string') {
      return { problem: `column "${name}" must be a string, received ${describe(input)}` };
    }
    if (name !== undefined) used.push(name);
    turns.push({ role: 'user', content: isGiven(input) ? `${prompt.text}\n${input}` : prompt.text });
  }
  if (columns.response !== undefined) {
    const response = textAt(row, columns.response);
    if ('problem' in response) return response;
    const reasoning = columns.input === undefined ? undefined : row['reasoning_content'];
    if (isGiven(reasoning)) used.push('reasoning_content');
    const keys = isGiven(reasoning) ? { keys: { reasoning_content: reasoning } } : {};
    turns.push({ role: 'assistant', content: response.text, ...keys });
  }
  return { turns, used };
}

function textAt(row: Row, column: string): { text: string } | { problem: string } {
  const value = asText(valueAt(row, column));
  if (value === undefined) return { problem: `column "${column}" is missing` };
  if (typeof value !== 'string') return { problem: `column "${column}" must be a string, received ${describe(value)}` };
  return value.trim() === '' ? { problem: `column "${column}" is empty` } : { text: value };
}

function pairShape(prompt: string, response: string): Shape {
  return { name: `${prompt}/${response}`, needs: [prompt, response], columns: { prompt, response, input: 'input' } };
}
