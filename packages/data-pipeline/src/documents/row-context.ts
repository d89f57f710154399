import { describe, valueAt, type Columns } from './columns.js';
import type { Conversation, Turn } from './conversation.js';
import { parsePythonJson } from './python-json.js';

type Row = Record<string, unknown>;

/** Columns that change what a row means; those that a shape does not use are told by name. */
const MEANINGFUL = [
  'system',
  'system_prompt',
  'history',
  'tools',
  'functions',
  'documents',
  'context',
  'reasoning_content',
  'reasoning',
  'thinking',
  'weight',
  'train',
  'label',
  'chosen',
  'rejected',
  'chat_template_kwargs',
  'images',
  'image',
  'videos',
  'audios',
];

/** Whether a column says anything: not null, nor empty text, nor an empty list or mapping. */
export function isGiven(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'string') return value.trim() !== '';
  return typeof value !== 'object' || Object.keys(value).length > 0 || value instanceof Number;
}

/** Columns with a meaning that were not used, of those that the row has. */
export function unusedColumns(row: Row, used: readonly (string | undefined)[]): string[] {
  return MEANINGFUL.filter((name) => !used.includes(name) && isGiven(row[name]) && !isHarmless(name, row[name]));
}

/** A weight of one, or a class label, says nothing about how to train on a row. */
function isHarmless(name: string, value: unknown): boolean {
  if (name === 'weight' || name === 'train') return Number(value) === 1;
  return name === 'label' && typeof value !== 'boolean';
}

/** Puts the columns beside a conversation into it: system, history, tools, documents, chat_template_kwargs. */
export function withContext(
  row: Row,
  spoken: Turn[],
  columns: Columns,
): (Conversation & { used: string[] }) | { problem: string } {
  const used: string[] = [];
  const read = (...names: string[]): { name: string; value: unknown } | undefined => {
    const name = names.find((candidate) => isGiven(valueAt(row, candidate)));
    if (name === undefined) return undefined;
    used.push(name);
    return { name, value: valueAt(row, name) };
  };
  const system = read(...(columns.system === undefined ? ['system', 'system_prompt'] : [columns.system]));
  const turns = withHistory(spoken, read('history'));
  if ('problem' in turns) return turns;
  const all = withSystem(turns, system);
  if ('problem' in all) return all;
  const tools = toolsOf(listOf(read(columns.tools ?? 'tools')), columns.tools ?? 'tools');
  const documents = listOf(read('documents'));
  for (const list of [tools, documents]) if (list && 'problem' in list) return list;
  const variables = read('chat_template_kwargs');
  if (variables && (typeof variables.value !== 'object' || Array.isArray(variables.value))) {
    return { problem: `column "chat_template_kwargs" must be a mapping, received ${describe(variables.value)}` };
  }
  return {
    turns: all,
    ...(tools ? { tools: tools as unknown[] } : {}),
    ...(documents ? { documents: documents as unknown[] } : {}),
    ...(variables ? { variables: variables.value as Row } : {}),
    used,
  };
}

interface Column {
  name: string;
  value: unknown;
}

function withSystem(turns: Turn[], column: Column | undefined): Turn[] | { problem: string } {
  if (!column) return turns;
  if (typeof column.value !== 'string') {
    return { problem: `column "${column.name}" must be a string, received ${describe(column.value)}` };
  }
  const [first] = turns;
  if (first?.role !== 'system') return [{ role: 'system', content: column.value }, ...turns];
  if (first.content === column.value) return turns;
  return { problem: `column "${column.name}" and the first message are two different system texts` };
}

/** Earlier pairs of a question and its answer, before the row's own. */
function withHistory(turns: Turn[], column: Column | undefined): Turn[] | { problem: string } {
  if (!column) return turns;
  const pairs = Array.isArray(column.value) ? (column.value as unknown[]) : [column.value];
  const earlier: Turn[] = [];
  for (const [index, pair] of pairs.entries()) {
    const isPair = Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === 'string');
    if (!isPair) return { problem: `element ${index} of "history" must be a question and its answer, two texts` };
    const [question, answer] = pair as [string, string];
    earlier.push({ role: 'user', content: question }, { role: 'assistant', content: answer });
  }
  const at = turns[0]?.role === 'system' ? 1 : 0;
  return [...turns.slice(0, at), ...earlier, ...turns.slice(at)];
}

/** A list, or the JSON text of one. */
function listOf(column: Column | undefined): unknown[] | { problem: string } | undefined {
  if (!column) return undefined;
  const { name, value } = column;
  const list = typeof value === 'string' ? parsed(value) : value;
  return Array.isArray(list)
    ? list
    : { problem: `column "${name}" must be a list, or the JSON of one, received ${describe(value)}` };
}

/** Descriptions of tools: mappings, or the JSON of one each, as data sets of one type for all columns keep them. */
function toolsOf(list: ReturnType<typeof listOf>, name: string): ReturnType<typeof listOf> {
  if (!Array.isArray(list)) return list;
  const tools = list.map((tool) => (typeof tool === 'string' ? parsed(tool) : tool));
  const wrong = tools.findIndex((tool) => typeof tool !== 'object' || tool === null || Array.isArray(tool));
  return wrong < 0
    ? tools
    : { problem: `element ${wrong} of "${name}" must be a mapping that describes a tool, or the JSON of one` };
}

function parsed(text: string): unknown {
  try {
    return parsePythonJson(text);
  } catch {
    return undefined; // not JSON: told as what it is not
  }
}
