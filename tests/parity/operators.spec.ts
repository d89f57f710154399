import { FORGETTING_METHODS, forgettingMethodNames } from '@lethe/losses';
import {
  deviceIndex,
  type DeviceName,
  type Field,
  loadAddon,
  operatorIndex,
  type OperatorName,
  unlearnMethod,
} from '@lethe/native';
import type { TensorSource } from '@lethe/model';
import { goldenJson, goldenTensors, relativeError } from './golden-files.js';

interface GoldenCase {
  operator: OperatorName;
  name: string;
  file: string;
  dims: Record<string, number>;
  attributes: Record<string, number | boolean>;
  inputs: string[];
  outputs: string[];
}

const addon = loadAddon();
const fieldsOf = new Map(addon.operators().map(({ name, fields }) => [name, fields]));
const cases = goldenJson<GoldenCase[]>('operators.json');

function elements(shape: string, dims: Record<string, number>): number {
  return shape.split(',').reduce((size, term) => {
    const [, factor, name] = /^(\d*)(\w*)$/.exec(term.trim())!;
    return size * (factor === '' ? 1 : Number(factor)) * (name === '' ? 1 : dims[name]);
  }, 1);
}

/** Where a case runs, and whether its activations are held in bf16. */
interface Place {
  device: DeviceName;
  bf16: boolean;
}

// As tensors of safetensors narrow: to nearest, ties to even.
function toHalves(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (x) => (x + 0x7fff + ((x >>> 16) & 1)) >>> 16);
}

function fromHalves(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (x) => x << 16).buffer);
}

/** Runs a case; outputs are poisoned with NaN first. */
function run(golden: GoldenCase, { device, bf16 }: Place, tensors: TensorSource): Record<string, Float32Array> {
  const buffers: Record<string, { id: number; size: number; halves: boolean }> = {};
  const values = fieldsOf.get(golden.operator)!.map((field: Field) => {
    if (field.kind !== 'tensor') return Number(golden.dims[field.name] ?? golden.attributes[field.name] ?? 0);
    const isGiven = golden.inputs.includes(field.name) || golden.outputs.includes(field.name);
    if (!isGiven) return 0;
    const size = elements(field.shape, golden.dims);
    const halves = bf16 && field.dtype === 'act';
    const id = addon.alloc(deviceIndex[device], size * (halves ? 2 : 4), halves);
    buffers[field.name] = { id, size, halves };
    const name = `${golden.name}/in/${field.name}`;
    const isInput = golden.inputs.includes(field.name);
    if (field.dtype === 'i32') {
      addon.write(id, 0, tensors.readInt32(name));
      return id;
    }
    const floats = isInput ? tensors.readFloat32(name) : new Float32Array(size).fill(NaN);
    addon.write(id, 0, halves ? toHalves(floats) : floats);
    return id;
  });
  addon.run(deviceIndex[device], operatorIndex[golden.operator], values);
  const outputs: Record<string, Float32Array> = {};
  for (const name of golden.outputs) {
    const { id, size, halves } = buffers[name];
    const words = halves ? new Uint16Array(size) : new Float32Array(size);
    addon.read(id, 0, words);
    outputs[name] = words instanceof Uint16Array ? fromHalves(words) : words;
  }
  for (const { id } of Object.values(buffers)) addon.release(id);
  return outputs;
}

// In bf16 inputs, what goes between two products, and results are rounded: relative to the tensor's largest element.
// Rounded outliers move scores of a hundred by some tenths, and probabilities by as much.
const places: [string, Place, number][] = [
  ['reference', { device: 'reference', bf16: false }, 1e-5],
  ['cpu', { device: 'cpu', bf16: false }, 1e-5],
  ['cpu in bf16', { device: 'cpu', bf16: true }, 3e-2],
];

describe.each(places)('operators against PyTorch on %s', (_name, place, tolerance) => {
  it('covers every operator of the table but convert, which only copies', () => {
    const covered = [...cases.map(({ operator }) => operator), 'convert'];
    expect(new Set(covered)).toEqual(new Set(Object.keys(operatorIndex)));
  });

  it('covers every forgetting loss, with its kind and its exponents', () => {
    for (const method of forgettingMethodNames) {
      const { kind, exponents } = FORGETTING_METHODS[method];
      // Those beside the head, and the complement plus a constant, are in packages/losses/src/forget-beside.spec.ts.
      if (kind === 'logits' || method === 'complement-normalized') continue;
      const expected = {
        method: unlearnMethod[kind],
        beta1: exponents.beta1?.default ?? 0,
        beta2: exponents.beta2?.default ?? 0,
      };
      const name = method === 'complement' ? 'all-terms' : method;
      expect(cases.find((golden) => golden.name === name)?.attributes).toMatchObject(expected);
    }
  });

  it.each(cases.map((golden) => [`${golden.operator} ${golden.name}`, golden] as const))('%s', (_title, golden) => {
    const tensors = goldenTensors(golden.file);
    const outputs = run(golden, place, tensors);
    for (const [name, received] of Object.entries(outputs)) {
      const error = relativeError(received, tensors.readFloat32(`${golden.name}/out/${name}`));
      const allowed = place.bf16 && golden.name.includes('outliers') ? 0.1 : tolerance;
      if (!(error <= allowed)) throw new Error(`${name}: relative error ${error}`);
    }
    tensors.close();
  });
});
