// What the README's commands start from, in the folder of the checkout: natural.jsonl, synthetic.jsonl, the tiny models
// models/base and models/synth (which the synthetic text has damaged) with a context of 1,024 tokens, rules.jsonl and finetune.yaml,
// and data/mmlu in MMLU's layout.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';

const words = 'time river stone light garden winter letter window music silver morning house field voice'.split(' ');
const word = (i) => words[(i * 7919 + (i >> 3)) % words.length];
const lines = (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const rows = Array.from({ length: 2000 }, (_, i) => i);
writeFileSync(
  'natural.jsonl',
  lines(
    rows.map((i) => ({
      text: `The ${word(i)} of the ${word(i + 5)} kept a ${word(i * 3)} near ${word(i + 9)} number ${i}.`,
    })),
  ),
);
writeFileSync(
  'synthetic.jsonl',
  lines(
    rows.map((i) => ({
      question: `Question: what is a ${word(i)} of kind ${i}?`,
      answer: `**Answer:** It is a ${word(i)}.`,
    })),
  ),
);

// Instructions that rules check, enough of them to choose by, and how the model learns to follow them: chat data and a recipe.
const asked = words.flatMap((one) => words.slice(0, 8).map((other) => `Say ${one} or ${other}.`));
writeFileSync('rules.jsonl', lines(asked.map((prompt) => ({ prompt, constraints: [{ kind: 'among', words }] }))));
writeFileSync('chat.jsonl', lines(asked.map((prompt, i) => ({ prompt, response: word(i) }))));
writeFileSync(
  'finetune.yaml',
  'name: finetune\nstage: finetune\ndata: { rowLength: 64, replay: [{ shards: data/chat/train }] }\n' +
    'batch: { replayRows: 8 }\noptimizer: { lr: 1e-3 }\nsteps: 5\n',
);

for (const split of ['dev', 'test']) {
  mkdirSync(`data/mmlu/${split}`, { recursive: true });
  const question = (i) => `"Which word is ${word(i)}?",${word(i)},${word(i + 1)},${word(i + 2)},${word(i + 3)},A`;
  writeFileSync(
    `data/mmlu/${split}/anatomy_${split}.csv`,
    `${Array.from({ length: 8 }, (_, i) => question(i)).join('\n')}\n`,
  );
}

const lethe = (...args) => execFileSync('npx', ['lethe', ...args], { stdio: 'inherit' });
const config = 'model.config={hiddenSize: 32, intermediateSize: 96, numLayers: 1, numHeads: 2, maxPositions: 1024}';
lethe('prepare', 'natural.jsonl', '--train-tokenizer', '300', '--out', 'begin/natural');
lethe('prepare', 'synthetic.jsonl', '--tokenizer', 'begin/natural/tokenizer', '--out', 'begin/synthetic');
const train = (name, steps, ...sets) =>
  lethe(
    'pretrain',
    ...[
      `name=${name}`,
      'runs=begin',
      'data.rowLength=256',
      `steps=${steps}`,
      'schedule.warmupSteps=0',
      ...sets,
    ].flatMap((set) => ['--set', set]),
  );
const shards = (...names) => `data.replay=[${names.map((name) => `{shards: begin/${name}/train}`).join(', ')}]`;
train('base', 200, 'optimizer.lr=4e-3', config, 'model.tokenizer=begin/natural/tokenizer', shards('natural'));
train('synth', 200, 'optimizer.lr=4e-3', 'model={init: begin/base/model}', shards('natural', 'synthetic'));
mkdirSync('models');
for (const name of ['base', 'synth']) cpSync(`begin/${name}/model`, `models/${name}`, { recursive: true });
lethe('prepare', 'chat.jsonl', '--as', 'chat', '--tokenizer', 'models/synth', '--out', 'data/chat');
rmSync('begin', { recursive: true });
