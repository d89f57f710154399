import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { termMeans } from '@lethe/losses';
import {
  disposeBatch,
  type Llama,
  loadLlama,
  openSafetensors,
  readAdapter,
  rowsOfSequences,
  toTokenBatch,
  writeAdapter,
} from '@lethe/model';
import { type DeviceName, installedDevices, noGrad, type Precision, useDevice } from '@lethe/tensor';
import { accumulateGradients, Optimizer, type StepContext } from '@lethe/train';
import { goldenJson, goldenPath, goldenTensors, relativeError } from './golden-files.js';
import { batchAt, type GoldenOptimizer, type GoldenStep } from './unlearning-batch.js';

const base = goldenPath('models/llama');
const SETTINGS = { rank: 3, alpha: 5, targets: ['q_proj', 'v_proj', 'gate_proj', 'down_proj'] as const };

const curve = goldenJson<GoldenStep[]>('adapters/unlearning.json');
const { weights, optimizer: settings } = goldenJson<{
  weights: StepContext['objective']['weights'];
  optimizer: GoldenOptimizer;
}>('unlearning.json');

/** models/llama with an adapter that peft wrote laid over it, the weights frozen. */
function adapted(name: string): Llama {
  const { model } = loadLlama(base, { trainable: false });
  model.adapt(readAdapter(goldenPath(`adapters/${name}`), model.config));
  return model;
}

function contextOf(model: Llama): StepContext {
  return { model, original: model, objective: { weights, method: 'complement', reduction: 'mean' }, recompute: false };
}

// Device, precision, and the relative error of gradients and of losses.
const places: [DeviceName, Precision, number, number][] = [
  ...installedDevices().map((device): [DeviceName, Precision, number, number] => [device, 'fp32', 1e-4, 1e-4]),
  ['lethe-cpu', 'bf16', 0.05, 0.02],
];

describe.each(places)('an adapter against peft on %s in %s', (device, precision, gradientError, lossError) => {
  beforeAll(() => useDevice(device, precision));

  it.each(['lora', 'rslora'])('the logits of %s, laid over the base and added to its weights', (name) => {
    const tensors = goldenTensors(`adapters/${name}.safetensors`);
    const expected = tensors.readFloat32('logits');
    const ids = [...tensors.readInt32('ids')];
    tensors.close();
    const { model: merged } = loadLlama(base, { trainable: false, adapter: goldenPath(`adapters/${name}`) });
    for (const model of [adapted(name), merged]) {
      const batch = toTokenBatch(rowsOfSequences([ids.slice(0, 16), ids.slice(16)]), null);
      const logits = noGrad(() => model.logits(model.hidden(batch)));
      expect(relativeError(logits.dataSync() as Float32Array, expected)).toBeLessThanOrEqual(lossError * 3);
      logits.dispose();
      disposeBatch(batch);
      model.dispose();
    }
  });

  it.each([false, true])('every gradient of one step, and none of the base (recompute %s)', (recompute) => {
    const model = adapted('lora');
    accumulateGradients({ ...contextOf(model), recompute }, [
      { forget: batchAt('forget', 0), replay: batchAt('replay', 0) },
    ]);
    const tensors = goldenTensors('adapters/unlearning.safetensors');
    expect(model.trained.map(({ name }) => `grad/${name}`).sort()).toEqual(
      [...tensors.tensors.keys()].filter((name) => name.startsWith('grad/')).sort(),
    );
    for (const { name, grad } of model.trained) {
      const error = relativeError(grad.dataSync() as Float32Array, tensors.readFloat32(`grad/${name}`));
      if (!(error <= gradientError)) throw new Error(`${name}: relative error ${error}`);
    }
    tensors.close();
    model.dispose();
  });

  it('the losses and gradient norms of ten AdamW steps, the original being the base', () => {
    const model = adapted('lora');
    const context = contextOf(model);
    const { lr, beta1, beta2, epsilon, weight_decay: weightDecay, clip_norm: clipNorm } = settings;
    const optimizer = new Optimizer(model.trained, { lr, beta1, beta2, epsilon, weightDecay, clipNorm });
    expect(curve).toHaveLength(10);
    curve.forEach((expected, step) => {
      const sums = accumulateGradients(context, [{ forget: batchAt('forget', step), replay: batchAt('replay', step) }]);
      const { loss, ...terms } = termMeans(sums, context.objective);
      const norm = optimizer.gradientNorm();
      expect(relativeError([loss], [expected.total])).toBeLessThanOrEqual(lossError);
      for (const term of ['forgetting', 'replay', 'mitigation'] as const)
        expect(relativeError([terms[term]], [expected[term]])).toBeLessThanOrEqual(lossError);
      expect(relativeError([norm], [expected.gradient_norm])).toBeLessThanOrEqual(lossError);
      optimizer.update(step + 1, lr, norm);
      optimizer.zeroGrad();
    });
    optimizer.dispose();
    model.dispose();
  });
});

it("an adapter's folder is what peft writes: names, shapes, values, and the keys that decide", async () => {
  await useDevice('lethe-cpu');
  const folder = mkdtempSync(join(tmpdir(), 'lethe-adapter-'));
  const model = adapted('lora');
  writeAdapter(model.adapter!, folder, { ...SETTINGS, base: { name: 'models/llama' } });
  const golden = goldenPath('adapters/lora');
  const [mine, theirs] = [folder, golden].map((from) => openSafetensors(join(from, 'adapter_model.safetensors')));
  expect([...mine.tensors.keys()].sort()).toEqual([...theirs.tensors.keys()].sort());
  for (const name of mine.tensors.keys()) {
    expect(mine.tensors.get(name)!.shape).toEqual(theirs.tensors.get(name)!.shape);
    expect(mine.readFloat32(name)).toEqual(theirs.readFloat32(name));
  }
  [mine, theirs].forEach((file) => file.close());
  const [written, expected] = [folder, golden].map(
    (from) => JSON.parse(readFileSync(join(from, 'adapter_config.json'), 'utf8')) as Record<string, unknown>,
  );
  for (const [key, value] of Object.entries(written)) {
    const sorted = (x: unknown): unknown => (Array.isArray(x) ? [...x].sort() : x);
    expect([key, sorted(value)]).toEqual([key, sorted(expected[key])]);
  }
  model.dispose();
  rmSync(folder, { recursive: true });
});
