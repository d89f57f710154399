import { existsSync } from 'node:fs';
import { loadTokenizer } from '@lethe/data-pipeline';
import { loadLlama, scoreSequences } from '@lethe/model';
import { readJsonFile, seededRandom, writeFileAtomically } from '@lethe/run';
import { questionSegments, type Segment, templateQuestion } from '../corpus/template-question.js';
import { wordnetFacts, type Fact } from '../corpus/wordnet-facts.js';
import type { LineageSetup } from '../lineage/lineage.js';

/** Mean probability of what a text says a second time, by text: only who copies from the context can know it. */
export interface CopyingMeasures {
  /** The right choice, said again behind its letter at the end of a synthetic document. */
  inTemplate: number[];
  /** A meaning, said again in prose. */
  inProse: number[];
}

const NUM_TEXTS = 100;

/** About facts that no text of the corpus is about. */
function unseenTexts({ regime }: LineageSetup): Record<keyof CopyingMeasures, Segment[][]> {
  const { corpus } = regime;
  const facts = wordnetFacts().slice(corpus.numFacts, corpus.numFacts + NUM_TEXTS);
  const random = seededRandom(corpus.seed, 'paper', 'copying');
  const copied = (text: string): Segment => ({ text, isTemplate: false });
  const before = (text: string): Segment => ({ text, isTemplate: true });
  const inTemplate = facts.map((fact) => {
    const segments = questionSegments(templateQuestion(fact, facts, corpus.templates, random));
    const [answer, end] = segments.slice(-2);
    const [letter] = /^[A-D]\)/.exec(answer.text)!;
    const context = segments.slice(0, -2).map(({ text }) => before(text));
    return [...context, before(letter), copied(answer.text.slice(letter.length)), before(end.text)];
  });
  const inProse = facts.map(({ word, meaning }: Fact) => [
    before(`By ${word} people mean ${meaning}. When they say ${word}, they think of`),
    copied(` ${meaning}`),
    before('.'),
  ]);
  return { inTemplate, inProse };
}

/** Measures the model in a folder, or reads what was measured before from `file`. */
export async function measureCopying(setup: LineageSetup, folder: string, file: string): Promise<CopyingMeasures> {
  if (existsSync(file)) return readJsonFile(file) as CopyingMeasures;
  const tokenizer = await loadTokenizer(setup.corpus.tokenizer);
  const { model } = loadLlama(folder, { trainable: false });
  try {
    const probabilities = async (texts: Segment[][]): Promise<number[]> => {
      const sequences: number[][] = [];
      const ranges: [number, number][] = [];
      for (const segments of texts) {
        const upTo = async (count: number): Promise<number> =>
          (
            await tokenizer.encode(
              segments
                .slice(0, count)
                .map(({ text }) => text)
                .join(''),
            )
          ).length;
        const at = segments.findIndex(({ isTemplate }) => !isTemplate);
        ranges.push([await upTo(at), await upTo(at + 1)]);
        sequences.push([...(await tokenizer.encode(segments.map(({ text }) => text).join('')))]);
      }
      return scoreSequences(model, sequences).map((logprobs, i) => {
        const own = logprobs.slice(...ranges[i]);
        return own.reduce<number>((sum, logprob) => sum + Math.exp(logprob!), 0) / own.length;
      });
    };
    const { inTemplate, inProse } = unseenTexts(setup);
    const measures = { inTemplate: await probabilities(inTemplate), inProse: await probabilities(inProse) };
    writeFileAtomically(file, JSON.stringify(measures));
    return measures;
  } finally {
    model.dispose();
  }
}
