import { asText, describe, valueAt } from './columns.js';
import type { Role, Turn } from './conversation.js';

const ROLES: Record<string, Role> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  prompter: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  model: 'assistant',
  bot: 'assistant',
  chatgpt: 'assistant',
  function_call: 'assistant',
  tool: 'tool',
  function: 'tool',
  ipython: 'tool',
  observation: 'tool',
  function_response: 'tool',
};

/** Keys that say whether a message is to be learnt; the chat template never sees them. */
const TARGET_KEYS = ['weight', 'train', 'loss'];
const READ_KEYS = ['role', 'from', 'content', 'value', ...TARGET_KEYS];

/** The turns of a list of messages, or what is wrong with it. */
export function readMessages(value: unknown, column: string): { turns: Turn[] } | { problem: string } {
  if (!Array.isArray(value) || value.length === 0) {
    return { problem: `column "${column}" must be a list of messages, received ${describe(value)}` };
  }
  const turns: Turn[] = [];
  for (const [index, message] of value.entries()) {
    const turn = readMessage(message);
    if ('problem' in turn) return { problem: `message ${index} of "${column}" ${turn.problem}` };
    turns.push(turn);
  }
  const isEmpty = turns.every(({ content, keys }) => content.trim() === '' && keys === undefined);
  return isEmpty ? { problem: `all messages of "${column}" are empty` } : { turns };
}

function readMessage(message: unknown): Turn | { problem: string } {
  const role = valueAt(message, 'role') ?? valueAt(message, 'from');
  const known = typeof role === 'string' && Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
  if (!known) return { problem: `has the unknown role ${JSON.stringify(role)}` };
  const entries = Object.entries(message as object) as [string, unknown][];
  const keys = Object.fromEntries(entries.filter(([key]) => !READ_KEYS.includes(key)));
  const content = contentOf(asText(valueAt(message, 'content') ?? valueAt(message, 'value')), keys);
  if (typeof content !== 'string') return content;
  const isTarget = targetOf(message);
  if (typeof isTarget === 'string') return { problem: isTarget };
  const hasNoText = content === '' && valueAt(message, 'content') === null;
  const given = hasNoText ? { ...keys, content: null } : keys;
  return {
    role: known,
    content,
    ...(role === known || role !== valueAt(message, 'role') ? {} : { spelledRole: role as string }),
    ...(Object.keys(given).length > 0 ? { keys: given } : {}),
    ...(isTarget ? {} : { isTarget }),
  };
}

/** A message's text; parts of text are put together; only a message that calls tools may have none. */
function contentOf(value: unknown, keys: Record<string, unknown>): string | { problem: string } {
  if (typeof value === 'string') return value;
  const calls = keys['tool_calls'] ?? keys['function_call'];
  if ((value === undefined || value === null) && calls !== undefined && calls !== null) return '';
  if (!Array.isArray(value)) return { problem: 'has no text' };
  let text = '';
  for (const [index, part] of value.entries()) {
    const type = typeof part === 'string' ? 'text' : valueAt(part, 'type');
    const piece = typeof part === 'string' ? part : valueAt(part, 'text');
    if (type !== 'text' || typeof piece !== 'string') {
      return { problem: `has a part ${index} of type ${JSON.stringify(type)}; only text can be learnt` };
    }
    text += piece;
  }
  return text;
}

/** Whether a message may be a target, or what is wrong with the key that tells it. */
function targetOf(message: unknown): boolean | string {
  for (const key of TARGET_KEYS) {
    const value = valueAt(message, key) ?? undefined;
    if (value === undefined) continue;
    const number = typeof value === 'boolean' ? Number(value) : Number(value as number);
    if (number !== 0 && number !== 1) return `has a "${key}" of ${JSON.stringify(value)}; expected 0 or 1`;
    if (number === 0) return false;
  }
  return true;
}
