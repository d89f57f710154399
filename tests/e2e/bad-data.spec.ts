import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ShardWriter } from '@lethe/data-pipeline';
import { failure, failureHere, filesIn, jsonl, misuseHere, succeed, temporaryFolder } from './lethe.js';
import { prepareProject } from './small-project.js';

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);
const prepare = (...args: string[]): string[] => ['prepare', ...args, '--tokenizer', 'natural/tokenizer'];
const pretrain = (...changes: string[]): string[] => [
  'pretrain',
  '--recipe',
  'pretrain.yaml',
  ...changes.flatMap((change) => ['--set', change]),
];
const filesOr = (name: string): string[] => (existsSync(at(name)) ? filesIn(at(name)) : []);

beforeAll(async () => {
  await prepareProject(folder);
  writeFileSync(at('empty.jsonl'), '');
  writeFileSync(at('broken.jsonl'), '{"text": oops\n{"nothing":1}\n');
  writeFileSync(at('malformed.jsonl'), '{"text":"the river"}\n{"text": oops\n{"nothing":1}\n{"text":"the stone"}\n');
}, 60000);

describe('prepare refuses', () => {
  it.each([
    ['a missing file', ['nosuch.jsonl'], 'nosuch.jsonl: no such file'],
    ['an empty file', ['empty.jsonl'], 'empty.jsonl: expected data, received an empty file'],
    ['a malformed row in strict mode', ['malformed.jsonl', '--strict'], 'malformed.jsonl:2: not valid JSON'],
    ['a file with no usable row', ['unusable.jsonl'], 'unusable.jsonl:1'],
  ])('%s', async (_case, args, message) => {
    writeFileSync(at('unusable.jsonl'), '{"nothing":1}\n');
    expect(await failureHere(folder, ...prepare(...args, '--out', 'refused'))).toContain(message);
    // What may stay is the list of the rows that could not be read.
    expect(filesOr('refused').filter((file) => file !== 'wrong-rows.jsonl')).toEqual([]);
    rmSync(at('refused'), { recursive: true, force: true });
  });

  it.each([
    ['a missing tokenizer', ['natural.jsonl', '--tokenizer', 'nosuch'], 'nosuch: no such file'],
    [
      'a vocabulary below the bytes',
      ['natural.jsonl', '--train-tokenizer', '100'],
      'at least 262 ids (256 bytes, 6 special tokens), received 100; ask for more',
    ],
    ['a vocabulary beyond the text', ['natural.jsonl', '--train-tokenizer', '9000'], 'a vocabulary of 9000'],
    [
      'a tokenizer to be trained on rows that are all broken',
      ['broken.jsonl', '--train-tokenizer', '300'],
      'received none; name sources with text; rows that cannot be read: 2, the first broken.jsonl:1: not valid JSON',
    ],
  ])('%s', async (_case, args, message) => {
    expect(await failureHere(folder, 'prepare', ...args, '--out', 'refused')).toContain(message);
    expect(filesOr('refused')).toEqual([]);
  });

  it.each([
    ['no source', [], 'nothing to prepare'],
    ['a share held out of 1 or more', ['natural.jsonl', '--held-out', '1'], 'expected a share from 0 to below 1'],
  ])('%s: the command line is wrong', async (_case, args, message) => {
    expect(await misuseHere(folder, ...prepare(...args, '--out', 'refused'))).toContain(message);
    expect(filesOr('refused')).toEqual([]);
  });

  it('ids that the id type cannot hold', async () => {
    const options = { vocabSize: 2 ** 16 + 1, idType: 'uint16' as const, tokenizerHash: 'x', eosId: 2 };
    await expect(ShardWriter.create(at('narrow'), options)).rejects.toThrow(
      /uint16.*65536, received 65537; use uint32/,
    );
    expect(existsSync(at('narrow'))).toBe(false);
  });
});

it('malformed rows are counted, reported with file and line, and the rest is used', async () => {
  const { stderr } = await succeed(folder, ...prepare('malformed.jsonl', '--out', 'counted', '--held-out', '0'));
  expect(stderr).toContain('malformed.jsonl: jsonl, 2 documents, 2 wrong rows');
  expect(stderr).toContain('warn: 2 rows could not be used');
  expect(jsonl<{ file: string; line: number }>(folder, 'counted/wrong-rows.jsonl')).toMatchObject([
    { file: 'malformed.jsonl', line: 2 },
    { file: 'malformed.jsonl', line: 3 },
  ]);
});

describe('training refuses', () => {
  const shardOf = (name: string): string => readdirSync(at(name)).find((file) => file.endsWith('.arrow'))!;

  function copyShards(name: string): string {
    cpSync(at('natural/train'), at(name), { recursive: true });
    return at(name, shardOf(name));
  }

  it.each([3, 2000, 10000])('a shard with bit %d flipped', async (position) => {
    const name = `flipped-${position}`;
    const shard = copyShards(name);
    const bytes = readFileSync(shard);
    bytes[position] ^= 4;
    writeFileSync(shard, bytes);
    const inspected = await failure(folder, 'inspect', name);
    expect(inspected).toContain(`${join(name, shardOf(name))}: SHA-256 differs`);
  });

  it('a damaged batch, when it is read', async () => {
    const shard = copyShards('damaged');
    const bytes = readFileSync(shard);
    bytes[5000] ^= 4;
    writeFileSync(shard, bytes);
    const message = await failure(folder, ...pretrain('name=damaged', 'data.replay=[{shards: damaged}]'));
    expect(message).toContain(`${join('damaged', shardOf('damaged'))}: batch 0`);
    expect(message).toContain('CRC-32 differs');
    expect(existsSync(at('runs/damaged/model'))).toBe(false);
  });

  it('a truncated shard', async () => {
    truncateSync(copyShards('truncated'), 5000);
    const message = await failure(folder, ...pretrain('name=truncated', 'data.replay=[{shards: truncated}]'));
    expect(message).toMatch(/truncated\/shard-00000\.arrow: truncated: expected \d+ bytes, received 5000/);
    expect(existsSync(at('runs/truncated'))).toBe(false);
  });

  it('a folder without finished shards', async () => {
    mkdirSync(at('unfinished'));
    const message = await failure(folder, ...pretrain('name=unfinished', 'data.replay=[{shards: unfinished}]'));
    expect(message).toContain('unfinished/index.json: not found');
    expect(existsSync(at('runs/unfinished'))).toBe(false);
  });

  it('shards of another tokenizer', async () => {
    const options = ['--out', 'other', '--train-tokenizer', '290'];
    await succeed(folder, 'prepare', 'natural.jsonl', ...options);
    const message = await failure(folder, ...pretrain('name=other', 'data.replay=[{shards: other/train}]'));
    expect(message).toMatch(/other\/train: expected shards of the tokenizer \w+, received \w+/);
    expect(existsSync(at('runs/other'))).toBe(false);
  });

  it('shards with ids beyond the model’s vocabulary', async () => {
    const recipe = readFileSync(at('pretrain.yaml'), 'utf8').replace(/ {2}tokenizer: .*\n/, '');
    writeFileSync(at('no-tokenizer.yaml'), recipe);
    const set = ['--set', 'model.config.vocabSize=280', '--set', 'name=narrow'];
    const message = await failure(folder, 'pretrain', '--recipe', 'no-tokenizer.yaml', ...set);
    expect(message).toContain("natural/train: expected ids below the model's vocabulary of 280");
    expect(existsSync(at('runs/narrow'))).toBe(false);
  });
});
