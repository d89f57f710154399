import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkVariables, VARIABLES } from './variables.js';

const ROOT = join(__dirname, '..', '..', '..', '..');

it('a variable that nothing reads is a warning with the nearest name', () => {
  expect(checkVariables({ LETHE_HEADBYTES: '1', LETHE_SIMD: 'avx2' })).toEqual({
    check: 'variables',
    status: 'warning',
    found: 'LETHE_HEADBYTES: Lethe reads no such variable',
    remedy: 'did you mean LETHE_HEAD_BYTES?',
  });
  expect(checkVariables({ LETHE_PONDEROUS_ELEPHANT: '1' }).remedy).toBe('unset LETHE_PONDEROUS_ELEPHANT');
});

it('known ones are named without their values', () => {
  expect(checkVariables({ LETHE_JUDGE_KEY: 'secret', PATH: '/' })).toEqual({
    check: 'variables',
    status: 'ok',
    found: 'LETHE_JUDGE_KEY',
  });
  expect(checkVariables({}).found).toBe('no LETHE_ variable is set');
});

/** Names that sources read from the environment: a string of nothing else, or a property of it. */
function namesRead(folder: string): string[] {
  const files = readdirSync(join(ROOT, folder), { recursive: true })
    .map(String)
    .filter((name) => /\.(cpp|h|cu|cuh|ts|mjs)$/.test(name) && !/(^|\/)(node_modules|dist|doctor)\//.test(name));
  return files.flatMap((name) =>
    [
      ...readFileSync(join(ROOT, folder, name), 'utf8').matchAll(/["'](LETHE_[A-Z0-9_]+)["']|env\.(LETHE_[A-Z0-9_]+)/g),
    ].map(([, text, property]) => text ?? property),
  );
}

it('the list is what the sources read', () => {
  const native = ['collectives', 'core', 'cpu', 'cuda', 'cuda_loader', 'src'].map((name) => join('native', name));
  const read = new Set([...native, 'packages', 'tests', 'scripts', 'benchmarks'].flatMap(namesRead));
  expect([...read].sort()).toEqual([...VARIABLES].sort());
});
