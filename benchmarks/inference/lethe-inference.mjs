// Reads prompts and continues them greedily: node lethe-inference.mjs MODEL BATCH PRECISION THREADS. Prints one JSON line.
import { generate, loadLlama } from '@lethe/model';
import { setNumThreads, useDevice } from '@lethe/tensor';

const [folder, batch = '1', precision = 'fp32', threads = '1'] = process.argv.slice(2);
const PROMPT = 128;
const NEW = 128;
setNumThreads(Number(threads));
await useDevice('lethe-cpu', precision);
const { model } = loadLlama(folder, { trainable: false });
const vocab = model.config.vocabSize;
const prompts = Array.from({ length: Number(batch) }, (_, b) =>
  Array.from({ length: PROMPT }, (_, t) => (b * 7919 + t * 104729 + 3) % vocab),
);

function seconds(maxNewTokens) {
  const started = performance.now();
  const made = generate(model, prompts, { maxNewTokens });
  if (made.some((ids) => ids.length !== maxNewTokens)) throw new Error('generation ended early');
  return (performance.now() - started) / 1000;
}

const middle = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
seconds(8);
const reading = middle(Array.from({ length: 7 }, () => seconds(1)));
const whole = middle(Array.from({ length: 5 }, () => seconds(NEW)));
const rows = Number(batch);
process.stdout.write(
  `${JSON.stringify({
    who: `lethe ${precision}`,
    prompt: (rows * PROMPT) / reading,
    decode: (rows * (NEW - 1)) / (whole - reading),
  })}\n`,
);
