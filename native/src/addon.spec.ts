import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { loadAddon } from './addon.js';
import { deviceIndex, operatorIndex } from './operators.js';

const addon = loadAddon();
const { cpu, reference } = deviceIndex;

function upload(values: number[], device: number = cpu): number {
  const buffer = addon.alloc(device, values.length * 4);
  addon.write(buffer, 0, Float32Array.from(values));
  return buffer;
}

function download(buffer: number, length: number): number[] {
  const values = new Float32Array(length);
  addon.read(buffer, 0, values);
  return [...values];
}

function caught(action: () => unknown): { code?: string; message: string } {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected an error');
}

describe('buffers', () => {
  it('keep bytes', () => {
    const buffer = upload([1, 2, 3]);
    addon.write(buffer, 4, Float32Array.of(7));
    expect(download(buffer, 3)).toEqual([1, 7, 3]);
    addon.release(buffer);
  });

  it('count live bytes exactly, and reuse blocks', () => {
    const before = addon.memory(cpu);
    const buffer = addon.alloc(cpu, 1001);
    expect(addon.memory(cpu).live).toBe(before.live + 1001);
    expect(addon.memory(cpu).buffers).toBe(before.buffers + 1);
    addon.release(buffer);
    const { allocations } = addon.memory(cpu);
    addon.release(addon.alloc(cpu, 1001));
    expect(addon.memory(cpu)).toMatchObject({ live: before.live, buffers: before.buffers, allocations });
    addon.resetPeak(cpu);
    expect(addon.memory(cpu).peak).toBe(before.live);
    addon.emptyCache(cpu);
    const { cached } = addon.memory(cpu); // free room beside buffers that are still there
    const large = 100 * 2 ** 20;
    addon.release(addon.alloc(cpu, large));
    expect(addon.memory(cpu).cached).toBe(cached + large);
    addon.emptyCache(cpu);
    expect(addon.memory(cpu).cached).toBe(cached);
  });

  it('refuse a released id, an unknown id and bytes outside', () => {
    const buffer = upload([1, 2]);
    expect(caught(() => addon.read(buffer, 4, new Float32Array(2)))).toMatchObject({
      code: 'invalid_argument',
      message: "[read] bytes 4 to 12 leave the buffer's 8",
    });
    addon.release(buffer);
    expect(caught(() => addon.release(buffer)).message).toContain('was released');
    expect(caught(() => addon.read(1e15, 0, new Float32Array(1))).message).toContain('does not exist');
    for (const bad of [-1, 0.5, NaN, 'x', undefined, null, {}])
      expect(caught(() => addon.release(bad as number)).code).toBe('invalid_argument');
    expect(caught(() => addon.alloc(cpu, 1e15)).code).toBe('out_of_memory');
    expect(caught(() => addon.alloc(7, 4)).code).toBe('invalid_argument');
  });
});

describe('run', () => {
  const weight = [1, 1, 1];

  it('takes positional numbers, or an array', () => {
    const [x, w, y, rstd] = [upload([3, 0, 4]), upload(weight), upload([0, 0, 0]), upload([0])];
    addon.run(cpu, operatorIndex.rms_norm, 1, 3, x!, 0, w!, 0, y!, rstd!, 0);
    const positional = download(y!, 3);
    addon.run(reference, operatorIndex.rms_norm, [1, 3, x!, 0, w!, 0, y!, rstd!, 0]);
    expect(positional[0]).toBeCloseTo(3 / Math.sqrt(25 / 3), 6);
    download(y!, 3).forEach((value, i) => expect(value).toBeCloseTo(positional[i]!, 6));
  });

  it('says which tensor is wrong', () => {
    const [x, w, y, rstd] = [upload([3, 0, 4]), upload([1, 1]), upload([0, 0, 0]), upload([0])];
    const run = (...values: number[]) => caught(() => addon.run(cpu, operatorIndex.rms_norm, ...values));
    expect(run(1, 3, x!, 0, w!, 0, y!, rstd!, 0)).toMatchObject({
      code: 'invalid_argument',
      message: '[rms_norm] weight: expected 3 elements for shape [D] = [3], received 2',
    });
    expect(run(1, 3, x!, 0, 0, 0, y!, rstd!, 0).message).toBe(
      '[rms_norm] weight: expected a tensor of shape [D] = [3], received none',
    );
    expect(run(-1, 3, x!, 0, w!, 0, y!, rstd!, 0).message).toBe('[rms_norm] N: expected a dimension >= 0, received -1');
    expect(run(1.5, 3, x!, 0, w!, 0, y!, rstd!, 0).message).toContain('N: expected an integer');
    expect(run(1, 3, x!).message).toBe('[rms_norm] expected 9 arguments, received 3');
    expect(run(1, 3, 999999999, 0, w!, 0, y!, rstd!, 0).message).toContain('x: buffer 999999999 does not exist');
  });

  it('refuses unknown devices and operators, and values that are not numbers', () => {
    expect(caught(() => addon.run(9, 0)).message).toContain('[device]');
    expect(caught(() => addon.run(cpu, 99)).message).toContain('[run] operator');
    expect(caught(() => addon.run(cpu, operatorIndex.fill, 1, 'x' as never, 0)).message).toContain('expected a number');
    expect(caught(() => (addon.run as () => void)()).code).toBe('invalid_argument');
  });

  it('refuses ids outside the table of embeddings', () => {
    const ids = addon.alloc(cpu, 4);
    addon.write(ids, 0, Int32Array.of(5));
    const run = () => addon.run(cpu, operatorIndex.embedding, 1, 3, 1, ids, upload(weight), upload([0]));
    expect(caught(run).message).toBe('[embedding] ids[0]: expected an index in [0, 3), received 5');
  });
});

describe('the library', () => {
  it('describes itself', () => {
    const info = addon.info();
    expect(['avx512', 'avx2', 'generic']).toContain(info.simd);
    expect(info.onednn).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('says why there is no CUDA device', () => {
    if (addon.info().cuda === 'available') return;
    expect(caught(() => addon.alloc(deviceIndex.cuda, 4)).code).toBe('not_available');
  });

  it('sets the number of threads', () => {
    const before = addon.numThreads();
    addon.setNumThreads(1);
    expect(addon.numThreads()).toBe(1);
    addon.setNumThreads(before);
    expect(caught(() => addon.setNumThreads(0)).code).toBe('invalid_argument');
  });

  it('ends with its worker threads, live buffers and all', () => {
    const script = join(dirname(__filename), 'worker-teardown.mjs');
    const result = spawnSync(process.execPath, [script], { encoding: 'utf8', timeout: 60000 });
    expect(result).toMatchObject({ status: 0, stdout: 'ok\n', stderr: '' });
  });
});
