import { deviceIndex, type DeviceName, type Field, loadAddon, operatorIndex, type OperatorName } from '@lethe/native';
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

/** Runs a case on a device; outputs are poisoned with NaN first. */
function run(golden: GoldenCase, device: DeviceName, tensors: TensorSource): Record<string, Float32Array> {
  const buffers: Record<string, { id: number; size: number }> = {};
  const values = fieldsOf.get(golden.operator)!.map((field: Field) => {
    if (field.kind !== 'tensor') return Number(golden.dims[field.name] ?? golden.attributes[field.name] ?? 0);
    const isGiven = golden.inputs.includes(field.name) || golden.outputs.includes(field.name);
    if (!isGiven) return 0;
    const size = elements(field.shape, golden.dims);
    const id = addon.alloc(deviceIndex[device], size * 4);
    buffers[field.name] = { id, size };
    if (golden.inputs.includes(field.name)) {
      const name = `${golden.name}/in/${field.name}`;
      addon.write(id, 0, field.dtype === 'i32' ? tensors.readInt32(name) : tensors.readFloat32(name));
    } else {
      addon.write(id, 0, new Float32Array(size).fill(NaN));
    }
    return id;
  });
  addon.run(deviceIndex[device], operatorIndex[golden.operator], values);
  const outputs: Record<string, Float32Array> = {};
  for (const name of golden.outputs) {
    outputs[name] = new Float32Array(buffers[name].size);
    addon.read(buffers[name].id, 0, outputs[name]);
  }
  for (const { id } of Object.values(buffers)) addon.release(id);
  return outputs;
}

describe.each(['reference', 'cpu'] as const)('operators against PyTorch on %s', (device) => {
  it('covers every operator of the table', () => {
    expect(new Set(cases.map(({ operator }) => operator))).toEqual(new Set(Object.keys(operatorIndex)));
  });

  it.each(cases.map((golden) => [`${golden.operator} ${golden.name}`, golden] as const))('%s', (_title, golden) => {
    const tensors = goldenTensors(golden.file);
    const outputs = run(golden, device, tensors);
    for (const [name, received] of Object.entries(outputs)) {
      const error = relativeError(received, tensors.readFloat32(`${golden.name}/out/${name}`));
      if (!(error <= 1e-5)) throw new Error(`${name}: relative error ${error}`);
    }
    tensors.close();
  });
});
