// What `lethe repair` does to models that `lethe paper` or scripts/paper/real-text.mjs has damaged, measured as `lethe paper` measures:
// node scripts/repair/lineages.mjs PAPER_FOLDER OUT [SEEDS, as 4001,4002] [WITH, alone,base]
// Twice for each seed unless told: with the model and its texts alone, and with the base from before the damage. A line for each repair on standard
// error; at the end a table over seeds beside the damaged model, its own replay alone, and `lethe paper`'s replay alone and repair. What is there
// is used.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from '../build.mjs';
import { makeCorpus as makeRealCorpus, WRAPS } from '../paper/real-corpus.mjs';

await build();
const dist = new URL('../../packages/cli/dist/', import.meta.url);
const load = (name) => import(new URL(name, dist));
const { silentLogger } = await import('@lethe/run');
const { useDevice } = await import('@lethe/tensor');
const { runStage } = await import('@lethe/train');
const { runRepair } = await load('repair/run-repair.js');
const { makeCorpus } = await load('paper/corpus/corpus.js');
const { writeOrdinaryText } = await load('paper/corpus/ordinary-text.js');
const { Lineage } = await load('paper/lineage/lineage.js');
const { PaperMeasuring } = await load('paper/measures/measure-model.js');
const { differences, effectOf, overRuns } = await load('paper/measures/effect.js');
const { byFact } = await load('paper/studies/knowledge.js');

const [folder, out, only, list = 'alone,base'] = process.argv.slice(2);
const ways = list.split(',');
if (out === undefined) {
  process.stderr.write('usage: node scripts/repair/lineages.mjs PAPER_FOLDER OUT [SEEDS] [WITH]\n');
  process.exit(2);
}
const { regime, precision, lineages } = JSON.parse(readFileSync(join(folder, 'paper.json'), 'utf8'));
const seeds = only?.split(',').map(Number) ?? lineages.map(({ seed }) => seed);
await useDevice('lethe-cpu', precision);
const kind = readFileSync(join(folder, 'corpus', 'done'), 'utf8');
const corpus =
  kind in WRAPS
    ? await makeRealCorpus(folder, regime, kind)
    : await makeCorpus(join(folder, 'corpus'), regime, silentLogger);
const measuring = await PaperMeasuring.open(regime, corpus);
const knows = byFact(regime);
const natural = writeOrdinaryText(join(out, 'ordinary.jsonl'), join(folder, 'corpus'), regime);
const stop = { requested: undefined };
const quiet = { ...silentLogger, warn: (text) => process.stderr.write(`warning: ${text}\n`) };

/** One repair with no setting of its own, and the folders of the model it ends with and of its replay alone. */
async function repair(seed, hasBase) {
  let models;
  const more = async (made) => {
    models = made;
    return { html: '' };
  };
  const of = (name) => resolve(folder, `seed-${seed}`, name, 'model');
  const results = await runRepair(
    {
      model: of('synth'),
      ...(hasBase && { base: of('base') }),
      synthetic: ['templateAsked', 'templateAside'].map((name) => resolve(folder, 'corpus', `${name}.jsonl`)),
      natural: [resolve(natural)],
      instructions: [],
      budget: {},
      out: resolve(out, `seed-${seed}-${hasBase ? 'base' : 'alone'}`),
      anyway: false,
      device: 'lethe-cpu',
      precision,
      threads: 1,
    },
    { logger: quiet, stop, signal: new AbortController().signal, more },
  );
  return { ...results, ...models };
}

/** What a model of a repair does, and its fine-tuning runs. */
async function measure(seed, name, model) {
  const runs = resolve(out, `measured-${seed}-${name}`);
  const own = await measuring.measure(model, join(runs, 'own.json'), false);
  const lineage = new Lineage({ regime, corpus, runs, seed, precision });
  const chats = [];
  for (let run = 0; run < regime.chat.runs; run++) {
    const recipe = lineage.chat('repaired', run, model);
    await runStage(recipe, { logger: silentLogger });
    chats.push(await measuring.measure(join(runs, recipe.name, 'model'), join(runs, `${recipe.name}.json`), true));
  }
  return { own, chats };
}

const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;
const percent = (values) => (100 * mean(values)).toFixed(1);
const hsrOf = (chats) => overRuns(chats.map(({ hsr }) => hsr));
const shown = ({ value, low, high }) => `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;

const controlOf = (name) => `${name}: its replay alone`;
const found = Object.fromEntries(ways.flatMap((name) => [name, controlOf(name)]).map((name) => [name, []]));
for (const seed of seeds)
  for (const name of ways) {
    const { before, after, settings, heldOut, price, relapse, end, control } = await repair(seed, name === 'base');
    const measured = await measure(seed, name, end);
    found[name].push(measured);
    found[controlOf(name)].push(await measure(seed, `${name}-control`, control));
    const { patternP } = heldOut;
    process.stderr.write(
      `seed ${seed} ${name}: ${before.verdict}, ${after.verdict}; ${settings.name}, ${settings.steps} steps; pattern ` +
        `${[patternP.start, patternP.end, patternP.control].map((x) => x.toFixed(3)).join(' / ')}; price ${shown(price.againstControl)}; content ${shown(price.contentKept)}; ` +
        `back after ${relapse?.repaired.backAfter} tokens, base ${relapse?.base?.backAfter}; ` +
        `leak ${percent(measured.own.leak)}, knows ${percent(knows(measured.own))}, HSR ${measured.chats.map(({ hsr }) => percent(hsr)).join(' ')}\n`,
    );
  }

const paper = seeds.map((seed) => lineages.find((lineage) => lineage.seed === seed));
const ofPaper = (name) => paper.map(({ models, chats }) => ({ own: models[name], chats: chats[name] }));
const rows = { ...found, 'replay alone': ofPaper('control'), 'paper: template': ofPaper('template') };
const synth = ofPaper('synth');
const told = ({ effect, low, high }) => `${effect.toFixed(1)} [${low.toFixed(1)}, ${high.toFixed(1)}]`;
const inPoints = (values) => values.map((items) => items.map((x) => 100 * x));
/** What fine-tuned models of one row follow more than those of another. */
const hsrOver = (row, other) => {
  const [of, from] = [row, other].map((all) => all.map(({ chats }) => hsrOf(chats)));
  return inPoints(differences(of, from));
};
process.stdout.write('| model | leak % | HSR gained | knowledge lost |\n| --- | --- | --- | --- |\n');
for (const [name, row] of Object.entries({ base: ofPaper('base'), ...rows })) {
  const gained = hsrOver(row, synth);
  const lost = inPoints(
    differences(
      synth.map(({ own }) => knows(own)),
      row.map(({ own }) => knows(own)),
    ),
  );
  const leak = inPoints(row.map(({ own }) => [...own.leak]));
  const cells = [
    name,
    effectOf(leak, `${name} leak`),
    effectOf(gained, `${name} gained`),
    effectOf(lost, `${name} lost`),
  ];
  process.stdout.write(`| ${cells.map((cell) => (typeof cell === 'string' ? cell : told(cell))).join(' | ')} |\n`);
}
for (const name of ways) {
  const more = effectOf(hsrOver(found[name], found[controlOf(name)]), `${name} more`);
  process.stdout.write(`${name}: ${told(more)} points of HSR more than by its replay alone\n`);
}
