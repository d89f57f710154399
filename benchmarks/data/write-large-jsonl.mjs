import { closeSync, openSync, writeSync } from 'node:fs';
import { documentText, readDocuments } from '../../packages/data-pipeline/dist/index.js';
import { seededRandom } from '../../packages/run/dist/index.js';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const WRITE_BYTES = 8e6;
/** One sentence in so many gets a word that no other has, as names and typing errors do in real text. */
const NEW_WORD_EVERY = 4;

/** The sentences of some sources, to mix new documents from. */
async function sentencesOf(sources) {
  const sentences = [];
  for await (const document of readDocuments(sources)) {
    sentences.push(...documentText(document).match(/[^.!?。]+[.!?。]*\s*/gu));
  }
  return sentences.filter((sentence) => sentence.length < 2000);
}

/** Writes `numBytes` of JSONL to `file`: documents of 5 to 80 sentences drawn from `sources`, with new words among them. */
export async function writeLargeJsonl(file, numBytes, sources) {
  const sentences = await sentencesOf(sources);
  const random = seededRandom(1, 'large jsonl');
  const pick = (list) => list[random.int(list.length)];
  const newWord = () => Array.from({ length: 4 + random.int(8) }, () => pick(LETTERS)).join('');
  const sentence = () =>
    random.int(NEW_WORD_EVERY) === 0 ? pick(sentences).replace(/\p{L}+/u, newWord) : pick(sentences);
  const handle = openSync(file, 'w');
  let lines = [];
  let [numDone, numWaiting] = [0, 0];
  while (numDone < numBytes) {
    const text = Array.from({ length: 5 + random.int(76) }, sentence).join('');
    const line = `${JSON.stringify({ text })}\n`;
    lines.push(line);
    numWaiting += line.length;
    if (numWaiting < WRITE_BYTES) continue;
    numDone += writeSync(handle, lines.join(''));
    [lines, numWaiting] = [[], 0];
  }
  closeSync(handle);
}
