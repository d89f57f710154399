import type { Role, Turn } from './document.js';
import { describe, valueAt, type Columns, type Preference, type ShapedRow } from './columns.js';
import { shapeIds } from './ids-shape.js';

const ROLES: Record<string, Role> = {
  system: 'system',
  user: 'user',
  human: 'user',
  prompter: 'user',
  observation: 'user',
  tool: 'user',
  function_response: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  model: 'assistant',
  bot: 'assistant',
  chatgpt: 'assistant',
  function_call: 'assistant',
};

type Row = Record<string, unknown>;

/** In the order in which they are tried. */
const SHAPES: { name: string; fits: (row: Row) => boolean; columns: Columns }[] = [
  { name: 'text', fits: (row) => has(row, 'text'), columns: { text: 'text' } },
  { name: 'messages', fits: (row) => Array.isArray(row['messages']), columns: { messages: 'messages' } },
  { name: 'conversations', fits: (row) => Array.isArray(row['conversations']), columns: { messages: 'conversations' } },
  pairShape('instruction', 'output'),
  pairShape('instruction', 'response'),
  pairShape('query', 'response'),
  pairShape('question', 'answer'),
  pairShape('prompt', 'response'),
];

/**
 * Reads one row as plain text or as turns. Known shapes are recognised by their keys; `columns` names any other.
 * With `prefer: 'turns'` a row that has both a `text` column and a question-answer pair is read as the pair; with
 * `prefer: 'ids'` only token ids are read.
 */
export function shapeRow(value: unknown, columns?: Columns, prefer: Preference = 'text'): ShapedRow {
  if (prefer === 'ids') return shapeIds(value, columns);
  if (typeof value === 'string')
    return nonEmpty(value) ? { shape: 'string', text: value } : { problem: 'the text is empty' };
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return { problem: `expected an object with named columns, received ${describe(value)}` };
  }
  const row = value as Row;
  if (columns) return readColumns(row, columns, 'columns');
  const shapes = prefer === 'turns' ? [...SHAPES.slice(1), SHAPES[0]!] : SHAPES;
  const shape = shapes.find((candidate) => candidate.fits(row));
  if (shape) return readColumns(row, shape.columns, shape.name);
  const keys = Object.keys(row).slice(0, 8).join(', ');
  return {
    problem: `no known row shape has the columns {${keys}}; name them with "columns"${has(row, 'input_ids') ? ', or prepare input_ids with --as ids' : ''}`,
  };
}

function readColumns(row: Row, columns: Columns, shape: string): ShapedRow {
  if (columns.text !== undefined) {
    const text = textAt(row, columns.text);
    return 'problem' in text ? text : { shape, text: text.text };
  }
  if (columns.messages !== undefined) return readMessages(valueAt(row, columns.messages), columns.messages, shape);
  if (columns.prompt === undefined && columns.response === undefined) {
    return { problem: '"columns" must name text, messages, or prompt and response' };
  }
  return readPair(row, columns, shape);
}

function readPair(row: Row, columns: Columns, shape: string): ShapedRow {
  const turns: Turn[] = [];
  if (columns.system !== undefined && nonEmpty(valueAt(row, columns.system))) {
    turns.push({ role: 'system', content: valueAt(row, columns.system) as string });
  }
  if (columns.prompt !== undefined) {
    const prompt = textAt(row, columns.prompt);
    if ('problem' in prompt) return prompt;
    const input = columns.input === undefined ? undefined : valueAt(row, columns.input);
    if (input !== undefined && input !== null && typeof input !== 'string') {
      return { problem: `column "${columns.input}" must be a string, received ${describe(input)}` };
    }
    turns.push({ role: 'user', content: nonEmpty(input) ? `${prompt.text}\n${input}` : prompt.text });
  }
  if (columns.response !== undefined) {
    const response = textAt(row, columns.response);
    if ('problem' in response) return response;
    turns.push({ role: 'assistant', content: response.text });
  }
  return { shape, turns };
}

function readMessages(value: unknown, column: string, shape: string): ShapedRow {
  if (!Array.isArray(value) || value.length === 0) {
    return { problem: `column "${column}" must be a list of messages, received ${describe(value)}` };
  }
  const turns: Turn[] = [];
  for (const [index, message] of value.entries()) {
    const role = valueAt(message, 'role') ?? valueAt(message, 'from');
    const content = valueAt(message, 'content') ?? valueAt(message, 'value');
    const known = typeof role === 'string' && Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
    if (!known) return { problem: `message ${index} of "${column}" has the unknown role ${JSON.stringify(role)}` };
    if (typeof content !== 'string') return { problem: `message ${index} of "${column}" has no text` };
    turns.push({ role: known, content });
  }
  return turns.some((turn) => nonEmpty(turn.content))
    ? { shape, turns }
    : { problem: `all messages of "${column}" are empty` };
}

function textAt(row: Row, column: string): { text: string } | { problem: string } {
  const value = valueAt(row, column);
  if (value === undefined) return { problem: `column "${column}" is missing` };
  if (typeof value !== 'string') return { problem: `column "${column}" must be a string, received ${describe(value)}` };
  return nonEmpty(value) ? { text: value } : { problem: `column "${column}" is empty` };
}

function pairShape(prompt: string, response: string): (typeof SHAPES)[number] {
  const fits = (row: Row) => has(row, prompt) && has(row, response);
  return { name: `${prompt}/${response}`, fits, columns: { prompt, response, input: 'input' } };
}

function has(row: Row, key: string): boolean {
  return Object.hasOwn(row, key);
}

function nonEmpty(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}
