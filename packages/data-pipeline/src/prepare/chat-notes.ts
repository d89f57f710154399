import type { TurnsDocument } from '../documents/document.js';
import type { RenderedChat } from '../tokenizer/chat-template.js';

/** What a conversation has that its template, or text without a template, leaves out. */
export function leftOut(document: TurnsDocument, template: string | undefined): string[] {
  const where = template === undefined ? 'is not part of the text' : 'is not used by the chat template';
  const isUsed = (name: string): boolean => template !== undefined && new RegExp(`\\b${name}\\b`).test(template);
  const keys = document.turns.flatMap(({ keys: given = {} }) =>
    Object.keys(given).filter((key) => given[key] !== null),
  );
  const beside = [
    document.tools && 'tools',
    document.documents && 'documents',
    ...Object.keys(document.variables ?? {}),
  ];
  return [
    ...[...new Set(keys)]
      .filter((key) => key !== 'content' && !isUsed(key))
      .map((key) => `"${key}" of messages ${where}`),
    ...beside.filter((name) => name !== undefined && !isUsed(name)).map((name) => `"${name}" ${where}`),
  ];
}

/** What is to be told of rendered conversations. */
export function chatNotes(document: TurnsDocument, rendered: readonly RenderedChat[], text: string): string[] {
  const silent = document.turns.filter(({ content }) => !text.includes(content.trim())).map(({ role }) => role);
  return [
    ...(rendered.some(({ isLastOnly }) => isLastOnly)
      ? ['only the last answer is learnt, since the chat template rewrites earlier turns; "answers: each" learns each']
      : []),
    ...(rendered.some(({ spellsSpecial }) => spellsSpecial) ? ['messages spell special tokens, which stay text'] : []),
    ...[...new Set(silent)].map((role) => `the chat template leaves out or changes what ${role} messages say`),
  ];
}
