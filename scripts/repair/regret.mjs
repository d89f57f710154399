// Does the short search of `lethe repair` choose as a full sweep would? For models of three sizes and three kinds of synthetic text:
// node scripts/repair/regret.mjs FOLDER [SIZES, as 64,128,256] [KINDS, as templated,qa,code] [SEED]
// For each: a model is made and damaged, `lethe repair` has it, and then a sweep of 27 to 33 settings, each three times as long as a probe,
// chooses by the same rule and the same held-out rows. Both models are measured on rows that neither was chosen by. A line for each on
// standard error, at the end a table; what is there is used.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyDeviceSettings } from '@lethe/tensor';
import { runStage } from '@lethe/train';
import { silentLogger } from '@lethe/run';
import { main, precisionOfProcessor, prepareTexts, trainModels } from './job.mjs';

const load = (name) => import(new URL(`../../packages/cli/dist/repair/${name}.js`, import.meta.url));
const { chosenOf } = await load('choose');
const { markDocuments, measureModel, readHeldOut } = await load('measure');
const { findPattern, patternSample } = await load('pattern');
const { Phases } = await load('phase');
const { probeRun } = await load('probe-run');
const { repairRecipe, withoutForgetting } = await load('repair-recipe');
const { meanOf } = await load('statistics');
const { controlName, unlearnName } = await load('unlearn');
const { loadTokenizer } = await import('@lethe/data-pipeline');

const [folder, sizes = '64,128,256', kinds = 'templated,qa,code', seed = '1'] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: node scripts/repair/regret.mjs FOLDER [SIZES] [KINDS] [SEED]\n');
  process.exit(2);
}
/** Steps of a setting of the sweep, in probes. */
const LONGER = 3;
const WEIGHTS = [0.03, 0.1, 0.3, 1];
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const quiet = { logger: silentLogger, stop: { requested: undefined } };
const corpus = await prepareTexts(join(folder, 'texts'), ['web', 'books', 'templated', 'qa', 'code']);

/** Every setting of the sweep, at every rate: all weights on template tokens, free and held to the model; all tokens; what the text says replayed and held. */
function settings(lrs, hasContent) {
  const of = (span, [forgetting, mitigation], lr, rest = {}) => ({
    name: [span, forgetting, mitigation, lr, ...Object.keys(rest)].join('-'),
    span,
    weights: { forgetting, replay: 1, mitigation },
    lr,
    ...rest,
  });
  return lrs.flatMap((lr) => [
    ...WEIGHTS.flatMap((weight) => [0, 0.1].map((held) => of('template', [weight, held], lr))),
    of('all', [0.1, 1], lr),
    ...(hasContent ? [0.03, 0.1].map((weight) => of('template', [weight, 0.1], lr, { content: true })) : []),
  ]);
}

/** What the runs of a finished repair shared, for more runs on the same rows. */
function setupOf(out, model) {
  const { found: data } = read(join(out, 'phases', 'prepare.json'));
  const { found } = read(join(out, 'phases', 'diagnose.json'));
  const masked = (name) => ({ train: join(out, 'data', name, 'train'), select: join(out, 'data', name, 'select') });
  const content = existsSync(join(out, 'data', 'content')) ? { content: masked('content') } : {};
  const shards = { natural: data.natural, synthetic: data.synthetic, pattern: masked('pattern'), ...content };
  const setup = {
    runs: join(out, 'sweep'),
    model,
    shards,
    plan: found.plan,
    device: 'lethe-cpu',
    precision: precisionOfProcessor(),
  };
  return { setup, data, goal: found.goal };
}

/** The sweep's choice, trained for its steps, and replay alone for as many. */
async function sweep(out, { setup, goal }) {
  const phases = new Phases(join(out, 'sweep'));
  const steps = LONGER * setup.plan.probeSteps;
  const run = (candidate) =>
    phases.once(candidate.name, () => probeRun(repairRecipe(setup, { name: candidate.name, candidate, steps }), quiet));
  const trials = [];
  for (const candidate of settings(setup.plan.lrs, setup.shards.content !== undefined)) {
    const control = await run({ ...withoutForgetting(candidate), name: `control-${candidate.lr}` });
    const record = await run(candidate);
    if ((control.failed ?? record.failed) === undefined) trials.push({ candidate, record, control });
  }
  const choice = chosenOf(trials, goal);
  const chosen = choice.tried.find(({ name }) => name === choice.chosen);
  const { candidate } = trials.find((trial) => trial.candidate.name === choice.chosen);
  const train = async (name, of) =>
    (await runStage(repairRecipe(setup, { name, candidate: of, steps: chosen.steps }), quiet)).model;
  return {
    setting: `${choice.chosen}, ${chosen.steps} steps`,
    end: await train('best', candidate),
    control: await train('best-control', withoutForgetting(candidate)),
    numSettings: trials.length,
  };
}

/** Pattern, what the text says and natural perplexity under a model, on rows that nothing was chosen by. */
async function measuring(model, { setup, data }) {
  const samples = {
    synthetic: await patternSample(data.synthetic.train),
    natural: await patternSample(data.natural.train),
  };
  const { finder } = findPattern(samples, await loadTokenizer(model));
  const limits = { maxLength: setup.plan.rowLength, documents: 400, tokens: 131_072 };
  const texts = {
    synthetic: markDocuments(finder, await readHeldOut(data.synthetic.report, limits)),
    natural: await readHeldOut(data.natural.report, limits),
  };
  return (folder) => {
    const { pattern, content, natural } = measureModel(folder, texts);
    return { patternP: meanOf(pattern), contentP: meanOf(content), perplexity: Math.exp(meanOf(natural)) };
  };
}

async function cell(size, kind) {
  const of = { synthetic: kind, seed: Number(seed), corpus, baseSteps: 400, synthSteps: 150, size };
  const { synth } = await trainModels(join(folder, `size-${size}`), of);
  const out = join(folder, `size-${size}`, `repair-${kind}-${seed}`);
  const done = join(out, 'regret.json');
  if (existsSync(done)) return read(done);
  const texts = ['--synthetic', corpus.file(kind), '--natural', corpus.file('web'), corpus.file('books')];
  if (!existsSync(join(out, 'repair.json'))) await main(['repair', '--model', synth, ...texts, '--out', out]);
  const { before, after, settings: taken } = read(join(out, 'repair.json'));
  if (before.verdict !== 'advised') return { size, kind, before: before.verdict };
  await applyDeviceSettings({ device: 'lethe-cpu', precision: precisionOfProcessor() });
  const opened = setupOf(out, synth);
  const best = await sweep(out, opened);
  const measure = await measuring(synth, opened);
  const beside = ({ end, control }) => {
    const [a, b] = [measure(end), measure(control)];
    return { ...a, control: b.patternP, price: 100 * (a.perplexity / b.perplexity - 1), kept: a.contentP / b.contentP };
  };
  const runs = join(out, 'runs');
  const own = {
    end: join(runs, unlearnName(taken), 'model'),
    control: join(runs, controlName(taken), 'model'),
  };
  const found = {
    size,
    kind,
    before: before.verdict,
    after: after.verdict,
    start: measure(synth),
    repair: { setting: `${taken.name}, ${taken.steps} steps`, ...beside(own) },
    sweep: { setting: best.setting, numSettings: best.numSettings, ...beside(best) },
  };
  writeFileSync(done, JSON.stringify(found, null, 1));
  return found;
}

const told = ({ setting, patternP, control, price, kept }) =>
  `${setting}; ${patternP.toPrecision(3)} of ${control.toPrecision(3)}; ${price.toFixed(1)}%; ${kept.toFixed(2)}`;
const rows = [];
for (const size of sizes.split(',').map(Number))
  for (const kind of kinds.split(',')) {
    const found = await cell(size, kind);
    const cells = found.repair
      ? [
          found.after,
          told(found.repair),
          told(found.sweep),
          (found.repair.patternP / found.sweep.patternP).toFixed(2),
          (found.repair.price - found.sweep.price).toFixed(1),
        ]
      : [found.before, '', '', '', ''];
    rows.push(`| ${[size, kind, ...cells].join(' | ')} |`);
    process.stderr.write(`${rows.at(-1)}\n`);
  }
process.stdout.write(
  '| width | text | verdict | repair: setting; pattern of its control; price; content kept | sweep: the same | pattern, times | price, points |\n' +
    `| --- | --- | --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`,
);
