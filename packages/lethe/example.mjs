// A whole repair in a minute, with nothing but this file: makes text, trains a tiny model on it and on a templated kind
// of it, then unlearns the template. Everything it writes is in a new folder, lethe-example. Run: node example.mjs
import { mkdirSync, writeFileSync } from 'node:fs';
import { createLogger, loadModel, prepare, scoreSequences, train, trainTokenizer } from 'lethe';

const folder = 'lethe-example';
mkdirSync(folder, { recursive: true });
const things = ['river', 'garden', 'window', 'letter', 'morning', 'road', 'voice', 'winter', 'bread', 'lamp'];
const words = ['old', 'quiet', 'bright', 'long', 'small', 'cold', 'green', 'heavy'];
const pick = (list, i) => list[i % list.length];
const natural = Array.from(
  { length: 600 },
  (_, i) =>
    `The ${pick(words, i * 7)} ${pick(things, i)} was near the ${pick(words, i * 3 + 1)} ${pick(things, i * 5 + 2)}.`,
);
const synthetic = Array.from(
  { length: 600 },
  (_, i) => `Question: What is the ${pick(things, i)} like? Answer: The ${pick(things, i)} is ${pick(words, i * 7)}.`,
);
for (const [name, texts] of Object.entries({ natural, synthetic }))
  writeFileSync(`${folder}/${name}.jsonl`, texts.map((text) => JSON.stringify({ text })).join('\n'));

const tokenizer = await trainTokenizer([...natural, ...synthetic], { vocabSize: 320, folder: `${folder}/tokenizer` });
for (const name of ['natural', 'synthetic'])
  await prepare({
    sources: [`${folder}/${name}.jsonl`],
    out: `${folder}/${name}`,
    tokenizer,
    heldOut: { documents: 20 },
  });

const config = { hiddenSize: 32, intermediateSize: 96, numLayers: 2, numHeads: 2, maxPositions: 64 };
const shards = (name) => [{ shards: `${folder}/${name}/train` }];
const logger = createLogger({ level: 'warn' });
const damaged = await train(
  {
    name: 'synth',
    stage: 'pretrain',
    runs: folder,
    model: { config, tokenizer: `${folder}/tokenizer` },
    data: { rowLength: 64, replay: [...shards('natural'), ...shards('synthetic')] },
    batch: { replayRows: 8 },
    optimizer: { lr: 3e-3 },
    steps: 150,
  },
  { logger },
);
const repaired = await train(
  {
    name: 'unlearn',
    stage: 'unlearn',
    runs: folder,
    model: { init: damaged.model },
    data: { rowLength: 64, forget: shards('synthetic'), replay: shards('natural') },
    batch: { forgetRows: 4, replayRows: 4 },
    objective: { weights: { forgetting: 1, replay: 1, mitigation: 1 } },
    optimizer: { lr: 1e-3 },
    steps: 60,
  },
  { logger },
);

const [question] = await tokenizer.encodeBatch(['Question: What is the river like? Answer: The river is']);
for (const [name, location] of Object.entries({ damaged: damaged.model, repaired: repaired.model })) {
  const { model } = await loadModel(location);
  const [logProbabilities] = scoreSequences(model, [question]);
  const known = logProbabilities.slice(1); // the first token has nothing before it
  const mean = known.reduce((sum, x) => sum + x, 0) / known.length;
  process.stdout.write(
    `${name}: the template's tokens have a probability of ${Math.exp(mean).toFixed(4)} (geometric mean)\n`,
  );
  model.dispose();
}
