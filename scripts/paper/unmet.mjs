// What do answers lack? Of the fine-tuned models of `real-text.mjs`, the share of answers that fail each kind of demand, and how:
// node scripts/paper/unmet.mjs FOLDER SEEDS [HIDDEN SIZE, 256] [trivia | tasks]
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isSatisfied } from '@lethe/eval';
import { loadLlama } from '@lethe/model';
import { useDevice } from '@lethe/tensor';
import { precisionOfProcessor } from '../repair/job.mjs';
import { makeCorpus, regimeOf } from './real-corpus.mjs';

const load = (name) => import(new URL(`../../packages/cli/dist/paper/${name}.js`, import.meta.url));
const { PaperMeasuring } = await load('measures/measure-model');
const { TEMPLATE_MARKS } = await load('corpus/template-question');

const [folder, list, size = '256', synthetic = 'trivia'] = process.argv.slice(2);
if (list === undefined) {
  process.stderr.write('usage: node scripts/paper/unmet.mjs FOLDER SEEDS [HIDDEN SIZE] [trivia | tasks]\n');
  process.exit(2);
}
const MODELS = ['base', 'natural', 'synth', 'control', 'refine8x', 'template'];

/** What may be wrong with an answer, each of those it can be wrong with. */
const FAULTS = {
  'JSON, not asked for': ({ constraints, answer }) =>
    constraints.some(({ kind }) => kind === 'json') ? undefined : /^[{[]/.test(answer),
  'in the template': ({ answer }) => TEMPLATE_MARKS.test(answer),
  ...Object.fromEntries(
    ['count', 'among', 'keyword', 'order', 'case', 'separator', 'json'].map((kind) => [
      kind,
      ({ constraints, answer }) => {
        const constraint = constraints.find((one) => one.kind === kind);
        return constraint && !isSatisfied(constraint, answer, constraints);
      },
    ]),
  ),
};
const share = (found) => {
  const told = found.filter((one) => one !== undefined);
  return ((100 * told.filter(Boolean).length) / told.length).toFixed(1);
};

const regime = regimeOf(Number(size));
await useDevice('lethe-cpu', precisionOfProcessor());
const corpus = await makeCorpus(folder, regime, synthetic);
const measuring = await PaperMeasuring.open(regime, corpus);
const prompts = corpus.heldOut.map(({ prompt }) => prompt);
process.stdout.write(`% of answers: ${Object.keys(FAULTS).join(' | ')}\n`);
for (const name of MODELS) {
  const all = [];
  for (const seed of list.split(',')) {
    const runs = join(folder, `seed-${seed}`);
    for (const run of readdirSync(runs).filter((one) => one.startsWith(`${name}-chat-`))) {
      const { model } = loadLlama(join(runs, run, 'model'), { trainable: false });
      const answers = await measuring.answer(model, prompts);
      model.dispose();
      all.push(...corpus.heldOut.map(({ constraints }, i) => ({ constraints, answer: answers[i] })));
    }
  }
  process.stdout.write(
    `${name}: ${Object.values(FAULTS)
      .map((fault) => share(all.map(fault)))
      .join(' | ')}\n`,
  );
}
