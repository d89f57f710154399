import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAddon } from './addon.js';
import { openAddon } from './describe-addon.js';
import { checkOperators, fusedHead, relativeError, type Rows } from './operators.js';
import { checkInstructions, checkThreads } from './processor.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-addon-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const fresh = { isStale: (): boolean => false };
const matching = (pattern: RegExp): string => expect.stringMatching(pattern) as string;

describe('the addon', () => {
  const opened = openAddon();

  it('loads, and has the operators that are called', () => {
    expect(opened.description!.operators).toContain('unlearn_head');
    expect(checkAddon(opened, fresh)).toMatchObject({ status: 'ok', found: matching(/lethe\.node, built from/) });
  });

  it('is a warning where its sources are newer, by the rule of the build', () => {
    expect(checkAddon(opened, { isStale: () => true })).toMatchObject({
      status: 'warning',
      remedy: matching(/^node scripts\/build\.mjs/),
    });
    expect(['ok', 'warning']).toContain(checkAddon(opened).status); // whichever it is while someone edits
  });

  it.each<[string, () => string, RegExp]>([
    ['absent', () => join(folder, 'none.node'), /none\.node is not built$/],
    ['no library', () => file('text.node', 'text'), /text\.node: .*(too short|invalid)/],
    ['ends the process', () => file('dies.js', 'process.kill(process.pid, "SIGILL")'), /ended the process \(SIGILL\)/],
  ])('is a problem where it is %s', (_, path, found) => {
    const at = path();
    expect(checkAddon(openAddon(at), { path: at, ...fresh })).toMatchObject({
      status: 'problem',
      found: matching(found),
      remedy: matching(/scripts\/setup\.sh/),
    });
  });

  it('is a problem where it has other operators', () => {
    const description = { ...opened.description!, operators: opened.description!.operators.slice(1) };
    expect(checkAddon({ ...opened, description }, fresh)).toMatchObject({
      status: 'problem',
      found: matching(/other/),
    });
  });
});

describe('the processor', () => {
  const instructions = (LETHE_SIMD: string) => {
    const environment = { ...process.env, LETHE_SIMD };
    return checkInstructions(openAddon(undefined, environment), environment);
  };

  it('is used as LETHE_SIMD asks, and no unknown value is taken', () => {
    expect(instructions('generic')).toMatchObject({ status: 'ok', found: matching(/^generic, .*\(LETHE_SIMD\)$/) });
    expect(instructions('')).toMatchObject({ status: 'ok' });
    expect(instructions('foo')).toMatchObject({
      status: 'problem',
      found: matching(/^LETHE_SIMD is 'foo'; expected avx512 or avx2 or generic/),
    });
  });

  it('is a warning where it has less than LETHE_SIMD asks for', () => {
    const description = { ...openAddon().description!, simd: 'avx2' };
    expect(checkInstructions({ description, stderr: '' }, { LETHE_SIMD: 'avx512' }).status).toBe('warning');
  });

  const threads = (OMP_NUM_THREADS: string, usable: number) => {
    const environment = { ...process.env, OMP_NUM_THREADS };
    return checkThreads(openAddon(undefined, environment), { usable, environment });
  };

  it('has as many threads as OMP_NUM_THREADS says, and a warning for more than processors', () => {
    expect(threads('1', 4)).toMatchObject({ status: 'ok', found: '1 thread on 4 processors (OMP_NUM_THREADS=1)' });
    expect(threads('8', 2)).toMatchObject({ status: 'warning', remedy: matching(/OMP_NUM_THREADS=2/) });
    expect(threads('many', 4096)).toMatchObject({ status: 'warning', found: matching(/libgomp: Invalid value/) });
  });
});

describe('the operators', () => {
  it('are within the error budget, in both precisions', async () => {
    expect(await checkOperators()).toMatchObject({ status: 'ok', found: matching(/fp32 \d+%, bf16 \d+% of/) });
  });

  it.each<[string, (values: Float32Array) => unknown]>([
    ['a NaN', (values) => (values[0] = NaN)],
    ['an error of 2%', (values) => (values[0] *= 1.02)],
    ['nothing', (values) => values.fill(0)],
  ])('are a problem where the device gives %s', async (_, damage) => {
    const broken: typeof fusedHead = async (device, precision) => {
      const found = await fusedHead(device, precision);
      if (device === 'lethe-cpu') for (const { values } of found) damage(values);
      return found;
    };
    expect(await checkOperators(broken)).toMatchObject({ status: 'problem', remedy: matching(/do not train/) });
  });

  it('are a problem where they do not run', async () => {
    const refused = async (): Promise<Rows[]> => {
      throw new Error("[environment] LETHE_HEAD_BYTES is 'x'");
    };
    expect(await checkOperators(refused)).toMatchObject({ status: 'problem', found: matching(/LETHE_HEAD_BYTES is/) });
  });

  it('have errors relative to their row', () => {
    const truth = { values: Float32Array.of(1, 100, 2, 4), length: 2 };
    expect(relativeError({ values: Float32Array.of(2, 100, 2, 5), length: 2 }, truth)).toBe(0.25);
    expect(relativeError({ values: Float32Array.of(1, NaN, 2, 4), length: 2 }, truth)).toBe(Infinity);
  });
});
