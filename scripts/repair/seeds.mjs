// The whole job for several seeds: a model is made and damaged, then `lethe repair` has it, and the model from before the damage:
// node scripts/repair/seeds.mjs FOLDER [SEEDS] [templated | qa]. A line for each model.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyDeviceSettings } from '@lethe/tensor';
import { main, prepareTexts, trainModels } from './job.mjs';
import { knows } from './knowledge.mjs';

const { controlName } = await import('../../packages/cli/dist/repair/unlearn.js');
const [folder = 'runs/repair-seeds', numSeeds = '10', synthetic = 'templated'] = process.argv.slice(2);
const corpus = await prepareTexts(folder);

/** Repairs a model with no other flag than its texts. */
async function repair(model, out) {
  const file = join(out, 'repair.json');
  if (!existsSync(file)) {
    const texts = ['--synthetic', corpus.file(synthetic), '--natural', corpus.file('web'), corpus.file('books')];
    await main(['repair', '--model', model, ...texts, '--out', out]);
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** What the model knows before, repaired, and after replay alone, in percent. */
async function knowledge(model, out, settings) {
  await applyDeviceSettings({ device: 'lethe-cpu', precision: 'fp32' });
  const folders = [model, join(out, 'model'), join(out, 'runs', controlName(settings), 'model')];
  const found = [];
  for (const folder of folders) found.push(existsSync(folder) ? (100 * (await knows(folder))).toFixed(1) : '-');
  return found.join(' / ');
}

const shown = (x) => (x === null ? '-' : x.toPrecision(3));

for (let seed = 1; seed <= Number(numSeeds); seed++) {
  const models = await trainModels(folder, { synthetic, seed, corpus, baseSteps: 400, synthSteps: 150 });
  for (const [name, model] of Object.entries(models)) {
    const out = join(folder, `seed-${seed}`, `repair-${name}-${synthetic}`);
    const { before, after, heldOut, settings, price, seconds } = await repair(model, out);
    const told = Object.entries(heldOut).map(
      ([of, { start, end, control }]) => `${of} ${[start, end, control].map(shown).join(' / ')}`,
    );
    const cost = price
      ? `price ${price.againstControl.value.toFixed(4)} [${price.againstControl.low.toFixed(4)}, ${price.againstControl.high.toFixed(4)}]`
      : '';
    process.stdout.write(
      `seed ${seed} ${name}: ${before.verdict}, ${after.verdict}; ${told.join(', ')}; knows ${await knowledge(model, out, settings ?? { name: '' })}; ${cost} ${settings ? `${settings.name}, ${settings.steps} steps` : ''} ${seconds.toFixed(0)} s\n`,
    );
  }
}
