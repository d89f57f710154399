// Run by every-dimension.spec.ts in a process of its own, for a fault of the processor would end the tests with it.
// Every operator with every dimension 0, 1 and 2 in every combination, on the reference and the CPU device, fp32 and bf16:
// both give the same values, none of them left over, or both refuse. Prints what does not, and how many calls it made.
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const addon = createRequire(import.meta.url)(fileURLToPath(new URL('../build/Release/lethe.node', import.meta.url)));
const [reference, cpu] = [0, 1];
const SIZES = process.argv.includes('--sizes') ? [0, 1, 2, 3, 5] : [0, 1, 2];
/** Numbers that hold where there is something to compute; each is tried. */
const SETTINGS = { step: [1], a_repeat: [1, 2], b_repeat: [1], beta1: [0.9], beta2: [0.99], method: [0, 1, 2, 3] };
const KINDS = { binary: 6, unary: 13, reduce: 3 };
const toBf16 = (values) => Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16);
const fromBf16 = (bits) => new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);

function* combinations(lists) {
  if (lists.length === 0) return yield [];
  for (const first of lists[0]) for (const rest of combinations(lists.slice(1))) yield [first, ...rest];
}

const countOf = (shape, dims) =>
  shape.split(',').reduce((count, factor) => {
    const [, coefficient, name] = /^(\d*)(\w*)$/.exec(factor);
    return count * Number(coefficient || 1) * (name ? dims[name] : 1);
  }, 1);

const choices = (operator, { kind, name }) => {
  if (kind === 'dim') return SIZES;
  if (name === 'kind') return Array.from({ length: KINDS[operator] }, (_, i) => i);
  if (name === 'rows' || name === 'cols') return [0, 1];
  if (name === 'num_forget') return [0, 1];
  return SETTINGS[name] ?? (kind === 'flag' ? [0, 1] : kind === 'int' ? [0] : [0.5]);
};

/** One call on a device: the values of the tensors it writes, or its refusal. */
function outcome(device, index, { fields }, { dims, numbers, bf16 }) {
  const buffers = [];
  const args = fields.map((field) => {
    if (field.kind === 'dim') return dims[field.name];
    if (field.kind !== 'tensor') return numbers[field.name];
    const count = countOf(field.shape, dims);
    const isHalf = bf16 && (field.dtype === 'act' || field.dtype === 'wgt');
    const id = addon.alloc(device, count * (isHalf ? 2 : 4), isHalf);
    const isAddedTo = field.name === 'dx' && numbers.accumulate_dx === 1;
    const written = field.access.startsWith('out') && !isAddedTo ? NaN : undefined;
    const values = Float32Array.from({ length: count }, (_, i) => written ?? ((i % 5) + 1) / 4);
    if (field.dtype === 'i32') addon.write(id, 0, new Int32Array(count));
    else addon.write(id, 0, isHalf ? toBf16(values) : values);
    buffers.push({ id, field, count, isHalf });
    return id;
  });
  try {
    addon.run(device, index, args);
    return buffers
      .filter(({ field }) => !field.access.startsWith('in') || field.access === 'inout')
      .map(({ id, field, count, isHalf }) => {
        const data = isHalf ? new Uint16Array(count) : new Float32Array(count);
        addon.read(id, 0, data);
        return { name: field.name, values: isHalf ? fromBf16(data) : data };
      });
  } catch (error) {
    return { code: error.code, message: error.message };
  } finally {
    for (const { id } of buffers) addon.release(id);
  }
}

/** Of attention's backward pass y and lse are inputs, which numbers made up do not fit: then its values mean nothing. */
function difference(is, was, isFitting) {
  if (!Array.isArray(is) || !Array.isArray(was)) {
    if (is.code === 'invalid_argument' && was.code === 'invalid_argument') return undefined;
    return `cpu: ${is.message ?? 'values'}; reference: ${was.message ?? 'values'}`;
  }
  for (const [i, { name, values }] of is.entries()) {
    const at = values.findIndex((value, j) => {
      const other = was[i].values[j];
      if (!isFitting) return Number.isNaN(value);
      return !(Math.abs(value - other) <= 0.02 + 0.02 * Math.abs(other) || value === other);
    });
    if (at >= 0) return `${name}[${at}]: ${values[at]}, expected ${was[i].values[at]}`;
  }
  return undefined;
}

let numCalls = 0;
for (const [index, operator] of addon.operators().entries()) {
  const free = operator.fields.filter(({ kind }) => kind !== 'tensor');
  const lists = free.map((field) => choices(operator.name, field));
  for (const picked of combinations(lists)) {
    const all = Object.fromEntries(free.map(({ name }, i) => [name, picked[i]]));
    for (const bf16 of [false, true]) {
      const call = { dims: all, numbers: all, bf16 };
      const name = `${operator.name} ${JSON.stringify(all)}${bf16 ? ' bf16' : ''}`;
      if (process.argv.includes('--verbose')) writeSync(1, `${name}\n`);
      const truth = outcome(reference, index, operator, { ...call, bf16: false }); // it has fp32 only
      const wrong = difference(outcome(cpu, index, operator, call), truth, operator.name !== 'attention_backward');
      if (wrong) writeSync(2, `${name}: ${wrong}\n`);
      numCalls += 2;
    }
  }
}
writeSync(1, `${numCalls} calls\n`);
