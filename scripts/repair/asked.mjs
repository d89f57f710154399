// `lethe repair` of a model that scripts/paper/real-text.mjs has damaged with tasks, its copies fine-tuned and asked as `lethe paper` does: in
// one chat format, after fine-tuning in another.
// node scripts/repair/asked.mjs FOLDER OUT SEED [flags of `lethe repair`, as --dry-run]
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCorpus, regimeOf } from '../paper/real-corpus.mjs';
import { lethe, precisionOfProcessor } from './job.mjs';

const load = (name) => import(new URL(`../../packages/cli/dist/paper/${name}.js`, import.meta.url));
const { CHAT_TEMPLATE } = await load('corpus/corpus');
const { writeOrdinaryText } = await load('corpus/ordinary-text');
const { Lineage } = await load('lineage/lineage');

const [folder, out, seed, ...flags] = process.argv.slice(2);
if (seed === undefined) {
  process.stderr.write('usage: node scripts/repair/asked.mjs FOLDER OUT SEED [FLAGS]\n');
  process.exit(2);
}
const damaged = join(folder, `seed-${seed}`, 'synth', 'model');
const { hidden_size: width } = JSON.parse(readFileSync(join(damaged, 'config.json'), 'utf8'));
const regime = regimeOf(width);
const corpus = await makeCorpus(folder, regime, 'tasks');
const at = (...path) => join(out, ...path);
mkdirSync(out, { recursive: true });

rmSync(at('model'), { recursive: true, force: true });
cpSync(damaged, at('model'), { recursive: true });
const config = at('model', 'tokenizer_config.json');
const told = { ...JSON.parse(readFileSync(config, 'utf8')), chat_template: CHAT_TEMPLATE };
writeFileSync(config, JSON.stringify(told));
const rules = corpus.heldOut.map(({ prompt, constraints }) => `${JSON.stringify({ prompt, constraints })}\n`);
writeFileSync(at('rules.jsonl'), rules.join(''));
const setup = { regime, corpus, runs: folder, seed: Number(seed), precision: precisionOfProcessor() };
writeFileSync(at('finetune.json'), JSON.stringify(new Lineage(setup).chat('any', 0, at('model'))));

const synthetic = ['templateAsked', 'templateAside'].map((name) => join(folder, 'corpus', `${name}.jsonl`));
const natural = writeOrdinaryText(at('ordinary.jsonl'), join(folder, 'corpus'), regime);
const texts = ['--synthetic', ...synthetic, '--natural', natural];
const asked = ['--instructions', at('rules.jsonl'), '--finetune', at('finetune.json')];
await lethe('repair', '--model', at('model'), ...texts, ...asked, '--out', at('repair'), ...flags);
