// Does `lethe repair` choose what follows instructions best? By text alone, by asking, and a sweep of settings and steps beside them:
// node scripts/repair/followed.mjs FOLDER WIDTH SEEDS [unswept]
// For each seed `lethe paper`'s base and damaged model are made at that width; `lethe repair` has it with instructions and a fine-tuning recipe;
// a sweep (left out by `unswept`) then makes models of its own, at up to two doses a setting, and takes the one that follows most of the
// instructions that choose.
// All are reported on the others, three copies of each fine-tuned alike. What is there is used. A line for each model on standard
// error, tables at the end.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { precisionOfProcessor } from './job.mjs';

const load = (name) => import(new URL(`../../packages/cli/dist/${name}.js`, import.meta.url));
const { silentLogger } = await import('@lethe/run');
const { applyDeviceSettings } = await import('@lethe/tensor');
const { runStage } = await import('@lethe/train');
const { runRepair } = await load('repair/run-repair');
const { triedOf } = await load('repair/choose');
const { Phases } = await load('repair/phase');
const { probeRun } = await load('repair/probe-run');
const { repairRecipe, withoutForgetting } = await load('repair/repair-recipe');
const { unlearnName } = await load('repair/unlearn');
const { makeCorpus, CHAT_TEMPLATE } = await load('paper/corpus/corpus');
const { writeOrdinaryText } = await load('paper/corpus/ordinary-text');
const { Lineage } = await load('paper/lineage/lineage');
const { PaperMeasuring } = await load('paper/measures/measure-model');
const { effectOf, mean, overRuns } = await load('paper/measures/effect');
const { REGIME } = await load('paper/regime');
const { byFact } = await load('paper/studies/knowledge');

const [folder, width, list, unswept] = process.argv.slice(2);
if (list === undefined || ![undefined, 'unswept'].includes(unswept)) {
  process.stderr.write('usage: node scripts/repair/followed.mjs FOLDER WIDTH SEEDS [unswept]\n');
  process.exit(2);
}
const hiddenSize = Number(width);
const regime = { ...REGIME, model: { ...REGIME.model, hiddenSize, intermediateSize: (11 * hiddenSize) / 4 } };
const computing = { device: 'lethe-cpu', precision: precisionOfProcessor(), threads: 1 };
await applyDeviceSettings(computing);
const corpus = await makeCorpus(join(folder, 'corpus'), regime, silentLogger);
const measuring = await PaperMeasuring.open(regime, corpus);
const knows = byFact(regime);
const natural = writeOrdinaryText(join(folder, `ordinary-${width}.jsonl`), join(folder, 'corpus'), regime);
const stop = { requested: undefined };
const quiet = { logger: silentLogger, stop };
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
/** What a setting of the sweep may cost, as one of the repair may. */
const isAllowed = ({ price, kept }) => price <= 1.017 && kept >= 0.88;

/** Settings of the sweep: weights, rates, and what the text says replayed and held or not; each for 60 steps. */
function settings([high, middle, low], hasContent) {
  const of = (weight, lr, content) => ({
    name: `t${weight}-${lr}-k0.1${content ? '-content' : ''}`,
    span: 'template',
    weights: { forgetting: weight, replay: 1, mitigation: 0.1 },
    lr,
    ...(content && { content }),
  });
  return [
    of(0.1, high),
    of(0.03, high),
    of(0.1, middle),
    of(0.1, low),
    of(0.3, low),
    ...(hasContent ? [of(0.03, high, true), of(0.1, high, true), of(0.1, middle, true)] : []),
    { ...of(0.1, middle), name: `all0.1-${middle}`, span: 'all' },
  ];
}

/** Models of the sweep, with what they cost. */
async function* swept(out, runs, model) {
  const { found: data } = read(join(out, 'phases', 'prepare.json'));
  const { found } = read(join(out, 'phases', 'diagnose.json'));
  const masked = (name) => ({ train: join(out, 'data', name, 'train'), select: join(out, 'data', name, 'select') });
  const content = existsSync(join(out, 'data', 'content')) ? { content: masked('content') } : {};
  const shards = { natural: data.natural, synthetic: data.synthetic, pattern: masked('pattern'), ...content };
  const setup = { runs: join(runs, 'sweep'), model, shards, plan: found.plan, ...computing };
  const phases = new Phases(setup.runs);
  const probe = (candidate) =>
    phases.once(candidate.name, () =>
      probeRun(repairRecipe(setup, { name: candidate.name, candidate, steps: 60 }), quiet),
    );
  for (const candidate of settings(found.plan.lrs, shards.content !== undefined)) {
    const control = await probe({ ...withoutForgetting(candidate), name: `control-${candidate.lr}` });
    const record = await probe(candidate);
    if ((control.failed ?? record.failed) !== undefined) continue;
    // At the cheapest step that reaches the goal within the allowed price, and at a smaller dose at any.
    const doses = [
      { goal: found.goal, price: 1.017 },
      { goal: 2.5 * found.goal, price: 1.04 },
    ].map((of) => triedOf(candidate, record, { control, ...of }));
    for (const { steps, price, kept, patternP } of doses[0].steps === doses[1].steps ? doses.slice(1) : doses) {
      const name = `${candidate.name}-s${steps}`;
      if (!existsSync(join(runs, `${name}-chat-2.json`)))
        await runStage(repairRecipe(setup, { name, candidate, steps }), quiet);
      yield { name, folder: join(setup.runs, name, 'model'), price, kept, pattern: patternP.end };
    }
  }
}

async function cell(seed) {
  const runs = resolve(folder, `w${width}-seed-${seed}`);
  mkdirSync(runs, { recursive: true });
  const lineage = new Lineage({ regime, corpus, runs, seed, precision: computing.precision });
  for (const recipe of [lineage.base(), lineage.synth()]) await runStage(recipe, { ...quiet, isCompared: true });
  const of = (name) => join(runs, name, 'model');
  const out = join(runs, 'asked');
  const [rules, recipe] = ['rules.jsonl', 'finetune.json'].map((name) => join(runs, name));
  writeFileSync(
    rules,
    corpus.heldOut.map(({ prompt, constraints }) => `${JSON.stringify({ prompt, constraints })}\n`).join(''),
  );
  writeFileSync(recipe, JSON.stringify(lineage.chat('any', 0, of('synth'))));
  // The damaged model with the template that it is asked through, as `lethe paper` asks.
  const damaged = join(runs, 'damaged');
  cpSync(of('synth'), damaged, { recursive: true });
  const config = join(damaged, 'tokenizer_config.json');
  writeFileSync(config, JSON.stringify({ ...read(config), chat_template: CHAT_TEMPLATE }));
  let models;
  const results = await runRepair(
    {
      model: damaged,
      synthetic: ['templateAsked', 'templateAside'].map((name) => resolve(folder, 'corpus', `${name}.jsonl`)),
      natural: [resolve(natural)],
      instructions: [rules],
      finetune: { recipe, runs: regime.chat.runs },
      budget: {},
      out,
      anyway: true,
      ...computing,
    },
    {
      ...quiet,
      signal: new AbortController().signal,
      more: async (made) => {
        models = made;
        return { html: '' };
      },
    },
  );
  const report = new Set(
    readFileSync(join(out, 'instructions', 'report-1.jsonl'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).prompt),
  );
  const isReported = corpus.heldOut.map(({ prompt }) => report.has(prompt));
  const measure = async (name, model, cost = {}) => {
    const own = await measuring.measure(model, join(runs, `own-${name}.json`), false);
    const chats = [];
    for (let run = 0; run < regime.chat.runs; run++) {
      const chat = lineage.chat(name, run, model);
      const file = join(runs, `${chat.name}.json`);
      if (!existsSync(file)) await runStage(chat, { logger: silentLogger });
      chats.push(await measuring.measure(join(runs, chat.name, 'model'), file, true));
    }
    const hsr = overRuns(chats.map((chat) => chat.hsr));
    const [reported, chose] = [true, false].map((wanted) => hsr.filter((_, i) => isReported[i] === wanted));
    const found = { name, ...cost, reported, chose: mean(chose), knows: mean(knows(own)), leak: mean(own.leak) };
    const percent = (x) => (100 * x).toFixed(1);
    process.stderr.write(
      `seed ${seed} width ${width} ${name}: chose ${percent(found.chose)} reported ${percent(mean(reported))} knows ${percent(found.knows)} ` +
        `leak ${percent(found.leak)} ${JSON.stringify(cost)}\n`,
    );
    return found;
  };
  const { chosen, asked } = results.choice;
  const byText = asked?.byText ?? chosen;
  const rows = {
    base: await measure('base', of('base')),
    damaged: await measure('synth', of('synth')),
    alone: await measure('asked-control', models.control),
    byText: await measure('by-text', join(out, 'runs', unlearnName({ name: byText }), 'model'), { setting: byText }),
    asked: await measure('asked-end', models.end, { setting: chosen, verdict: results.after.verdict, asked }),
  };
  if (unswept) return { seed, ...rows };
  const all = [];
  for await (const { name, folder: model, ...cost } of swept(out, runs, of('synth')))
    all.push(await measure(name, model, cost));
  const best = (some) => some.reduce((a, b) => (b.chose > a.chose ? b : a));
  return { seed, ...rows, within: best(all.filter(isAllowed)), any: best(all) };
}

const cells = [];
for (const seed of list.split(',').map(Number)) cells.push(await cell(seed));
const NAMES = {
  base: 'base',
  damaged: 'damaged',
  alone: 'replay alone',
  byText: 'repaired, chosen by text',
  asked: 'repaired, chosen by asking',
  ...(!unswept && { within: 'sweep, same limits', any: 'sweep, any price' }),
};
const settingOf = ({ setting, name } = {}) => setting ?? name;
process.stdout.write(`| HSR | ${cells.map(({ seed }) => seed).join(' | ')} | all |\n`);
process.stdout.write(`| --- | ${cells.map(() => '--- |').join(' ')} --- |\n`);
for (const [key, title] of Object.entries(NAMES)) {
  const found = cells.map((one) => mean(one[key].reported));
  process.stdout.write(
    `| ${title} | ${found.map((x) => (100 * x).toFixed(1)).join(' | ')} | ${(100 * mean(found)).toFixed(1)} |\n`,
  );
}
for (const { seed, byText, asked, within, any } of cells)
  process.stdout.write(
    `${seed}: ${[byText, asked, within, any].map(settingOf).filter(Boolean).join('; ')}; ${asked.verdict}\n`,
  );
const told = (of, from, name) => {
  const values = cells.map((one) => one[of].reported.map((x, i) => 100 * (x - one[from].reported[i])));
  const { effect, low, high } = effectOf(values, name);
  process.stdout.write(`${name}: ${effect.toFixed(1)} [${low.toFixed(1)}, ${high.toFixed(1)}]\n`);
};
told('asked', 'byText', 'asking more than text');
told('asked', 'alone', 'asking more than replay alone');
if (!unswept) {
  told('within', 'asked', 'sweep at the same limits more than asking');
  told('any', 'asked', 'sweep at any price more than asking');
}
