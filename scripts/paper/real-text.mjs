// The table of `lethe paper` on real text: web pages and books; synthetic text in one template, `trivia`: 1,242 questions and answers of
// facts (caia-qa), `tasks`: these and what GPT-4 wrote to short tasks of every kind (Alpaca, AlpacaEval, GPTeacher's code); models of 4 M
// parameters. Only the instructions are made, since rules have to tell whether an answer meets them, and prose in which people follow
// such, as in `lethe paper`, without which a model of this size follows none:
// node scripts/paper/real-text.mjs FOLDER [SEEDS, as 1,2,3] [HIDDEN SIZE, 256] [trivia | tasks]
// Some hours a seed; seeds may run beside each other; what is there is used.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '@lethe/run';
import { useDevice } from '@lethe/tensor';
import { precisionOfProcessor } from '../repair/job.mjs';
import { makeCorpus, regimeOf, WRAPS } from './real-corpus.mjs';

const load = (name) => import(new URL(`../../packages/cli/dist/paper/${name}.js`, import.meta.url));
const { PaperMeasuring } = await load('measures/measure-model');
const { runLineage } = await load('lineage/run-lineage');
const { claims } = await load('studies/claims-page');

const [folder, list = '1,2,3', size = '256', synthetic = 'trivia'] = process.argv.slice(2);
if (folder === undefined || !(synthetic in WRAPS)) {
  process.stderr.write('usage: node scripts/paper/real-text.mjs FOLDER [SEEDS] [HIDDEN SIZE] [trivia | tasks]\n');
  process.exit(2);
}
const regime = regimeOf(Number(size));
const precision = precisionOfProcessor();
await useDevice('lethe-cpu', precision);
const corpus = await makeCorpus(folder, regime, synthetic);
const measuring = await PaperMeasuring.open(regime, corpus);
const lineages = [];
const began = performance.now();
for (const seed of list.split(',').map(Number)) {
  const setup = { regime, corpus, runs: join(folder, `seed-${seed}`), seed, precision };
  const made = await runLineage(setup, measuring, {
    recipes: (lineage) => claims.recipes(lineage, regime),
    chatRuns: (name) => claims.chatRuns(name, regime),
    logger: { ...silentLogger, warn: (text) => process.stderr.write(`seed ${seed}: warning: ${text}\n`) },
    stop: { requested: undefined },
    onModel: (name) => {
      const minutes = ((performance.now() - began) / 60_000).toFixed(0);
      process.stderr.write(`seed ${seed}: ${name} is made and measured, ${minutes} minutes\n`);
    },
  });
  lineages.push(made);
}
const seconds = (performance.now() - began) / 1000;
const { numbers, page, table } = claims.report({ lineages, regime, precision, seconds });
writeFileSync(join(folder, 'paper.json'), `${JSON.stringify(numbers)}\n`);
writeFileSync(join(folder, 'report.html'), page);
process.stdout.write(`${table}\n`);
