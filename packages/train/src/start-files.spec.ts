import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestStart, requireSameStart, type StartFiles } from './start-files.js';

const INDEX = 'model.safetensors.index.json';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lethe-start-'));
  write('config.json', '{}');
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string): void => writeFileSync(join(folder, name), content);
const digest = (): StartFiles => digestStart({ model: { init: folder, recompute: false } })!;
const check = (began: StartFiles): void => requireSameStart({ began, now: digest() }, folder, 'runs/unlearn');
const refusal = (name: string): string =>
  `${join(folder, name)} is not the file that runs/unlearn started from; restore it, choose another name, or remove the folder to start again`;

it('reads config and weights, and nothing else', () => {
  write('model.safetensors', 'abc');
  write('tokenizer.json', '{}');
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(digest()).toEqual({ 'config.json': expect.any(String) as string, 'model.safetensors': abc });
});

it('refuses a weight that has changed by one bit, and takes the old one back', () => {
  write('model.safetensors', 'abc');
  const began = digest();
  write('model.safetensors', 'abb');
  expect(() => check(began)).toThrow(refusal('model.safetensors'));
  write('model.safetensors', 'abc');
  check(began);
});

it('refuses another config of the same weights', () => {
  write('model.safetensors', 'abc');
  const began = digest();
  write('config.json', '{"rope_theta":1}');
  expect(() => check(began)).toThrow(refusal('config.json'));
});

it('refuses a shard that has changed, and one file in place of shards', () => {
  write(INDEX, JSON.stringify({ weight_map: { a: 'one.safetensors', b: 'two.safetensors', c: 'two.safetensors' } }));
  write('one.safetensors', '1');
  write('two.safetensors', '2');
  const began = digest();
  expect(Object.keys(began)).toEqual(['config.json', INDEX, 'one.safetensors', 'two.safetensors']);
  write('two.safetensors', '3');
  expect(() => check(began)).toThrow(refusal('two.safetensors'));
  write('two.safetensors', '2');
  write('model.safetensors', 'abc');
  expect(() => check(began)).toThrow(refusal('model.safetensors'));
});

it('refuses a model whose files, its tokenizer among them, are not as they were written', () => {
  write('model.safetensors', 'abc');
  write('tokenizer.json', '{}');
  const lines = { 'model.safetensors': digest()['model.safetensors'], 'tokenizer.json': digest()['config.json'] };
  write(
    'SHA256SUMS',
    Object.entries(lines)
      .map(([name, sha256]) => `${sha256}  ${name}\n`)
      .join(''),
  ); // both are {}
  expect(Object.keys(digest())).toEqual(['config.json', 'model.safetensors']);
  write('tokenizer.json', '[]');
  expect(digest).toThrow(`${join(folder, 'tokenizer.json')}: was changed after it was written`);
});

it('does not ask for files that are gone', () => {
  write('model.safetensors', 'abc');
  const began = digest();
  rmSync(join(folder, 'model.safetensors'));
  check(began);
});

it('a model on the hub, and fresh weights, have no files', () => {
  expect(digestStart({ model: { init: 'hf://owner/name@0123', recompute: false } })).toBeUndefined();
  expect(digestStart({ model: { recompute: false } })).toBeUndefined();
});

it('refuses another file of the reference, by its own path', () => {
  const [began, now] = [{ 'base/config.json': 'a' }, { 'base/config.json': 'b' }];
  expect(() => requireSameStart({ began, now }, folder, 'runs/unlearn')).toThrow(
    /^base\/config\.json is not the file that runs\/unlearn started from/,
  );
});
