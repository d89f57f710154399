import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSafetensors } from './reader.js';
import { openShardedSafetensors } from './sharded-reader.js';
import { writeWeights } from './sharded-writer.js';
import { createSafetensorsWriter, writeSafetensors } from './writer.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const a = { name: 'a', shape: [2, 3], data: Float32Array.of(1, -2, 3.14159274, 1e-8, 65504, NaN) };
const b = { name: 'b', shape: [1], data: Float32Array.of(7) };
const layout = [a, b].map(({ name, shape }) => ({ name, shape }));

describe('writeSafetensors', () => {
  it('is read back, exactly in F32 and rounded in F16 and BF16', () => {
    const read = (dtype: 'F32' | 'F16' | 'BF16') => {
      const file = join(folder, `${dtype}.safetensors`);
      writeSafetensors(file, [a, b], { dtype });
      const source = openSafetensors(file);
      const values = [...source.readFloat32('a')];
      expect([...source.readFloat32('b')]).toEqual([7]);
      expect(source.tensors.get('a')).toMatchObject({ dtype, shape: [2, 3] });
      expect(source.metadata).toEqual({ format: 'pt' });
      source.close();
      return values;
    };
    expect(read('F32')).toEqual([...a.data]);
    expect(read('F16')).toEqual([1, -2, 3.140625, 0, 65504, NaN]);
    expect(read('BF16')).toEqual([1, -2, 3.140625, 172 * 2 ** -34, 65536, NaN]);
  });

  it('aligns the data to 8 bytes', () => {
    writeSafetensors(join(folder, 'x'), [b]);
    expect(Number(readFileSync(join(folder, 'x')).readBigUInt64LE()) % 8).toBe(0);
  });

  it('refuses F16 for values it cannot hold, and leaves no file', () => {
    const large = { name: 'a', shape: [2], data: Float32Array.of(Infinity, -1e6) };
    expect(() => writeSafetensors(join(folder, 'x'), [large], { dtype: 'F16' })).toThrow(
      "x: tensor 'a': F16 cannot hold -1000000; choose F32 or BF16",
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('createSafetensorsWriter', () => {
  it('takes tensors in any order and appears only when finished', () => {
    const file = join(folder, 'x');
    const writer = createSafetensorsWriter(file, layout);
    writer.write(b);
    expect(() => writer.finish()).toThrow('x: expected tensors that were not written: a');
    expect(readdirSync(folder)).not.toContain('x');
    writer.write(a);
    writer.finish();
    expect(readdirSync(folder)).toEqual(['x']);
    const source = openSafetensors(file);
    expect([...source.readFloat32('a')]).toEqual([...a.data]);
    source.close();
  });

  it('refuses other tensors', () => {
    const writer = createSafetensorsWriter(join(folder, 'x'), layout);
    expect(() => writer.write({ ...a, name: 'c' })).toThrow("x: tensor 'c' was not expected");
    expect(() => writer.write({ ...a, shape: [3, 2] })).toThrow(
      "tensor 'a': expected shape [2, 3], received [3, 2] with 6 values",
    );
    expect(() => writer.write({ ...a, data: new Float32Array(5) })).toThrow('with 5 values');
    writer.write(a);
    expect(() => writer.write(a)).toThrow("tensor 'a' was written twice");
    writer.abort();
    writer.abort();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('writeWeights', () => {
  it('splits by size with an index, which is read back as one source', async () => {
    await writeWeights(folder, layout, [b, a], { maxShardBytes: 24 });
    expect(readdirSync(folder).sort()).toEqual([
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model.safetensors.index.json',
    ]);
    const index = join(folder, 'model.safetensors.index.json');
    expect(JSON.parse(readFileSync(index, 'utf8'))).toEqual({
      metadata: { total_size: 28 },
      weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' },
    });
    const source = openShardedSafetensors(index);
    expect([...source.readFloat32('a'), ...source.readFloat32('b')]).toEqual([...a.data, 7]);
    expect([...source.tensors.keys()]).toEqual(['a', 'b']);
    expect(() => source.readFloat32('c')).toThrow("there is no tensor 'c'");
    source.close();
  });

  it('fills a shard to its last byte', async () => {
    await writeWeights(folder, layout, [a, b], { maxShardBytes: 28 });
    expect(readdirSync(folder)).toEqual(['model.safetensors']);
    await writeWeights(folder, layout, [a, b], { maxShardBytes: 27 });
    expect(readdirSync(folder)).toContain('model-00002-of-00002.safetensors');
  });

  it('writes one file by default, and none after an error', async () => {
    await writeWeights(folder, layout, [a, b]);
    expect(readdirSync(folder)).toEqual(['model.safetensors']);
    rmSync(join(folder, 'model.safetensors'));
    await expect(writeWeights(folder, layout, [a])).rejects.toThrow('not written: b');
    await expect(writeWeights(folder, layout, [a, { ...b, name: 'c' }])).rejects.toThrow("'c' was not expected");
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('openShardedSafetensors', () => {
  const first = 'model-00001-of-00002.safetensors';
  const second = 'model-00002-of-00002.safetensors';
  const refusal = async (damage: (index: Record<string, string>) => string | void) => {
    await writeWeights(folder, layout, [a, b], { maxShardBytes: 1 });
    const file = join(folder, 'model.safetensors.index.json');
    const weightMap: Record<string, string> = { a: first, b: second };
    const text = damage(weightMap) ?? JSON.stringify({ weight_map: weightMap });
    writeFileSync(file, text);
    expect(() => openShardedSafetensors(file)).toThrow('model.safetensors.index.json: ');
    try {
      openShardedSafetensors(file);
    } catch (error) {
      return (error as Error).message.slice(file.length + 2);
    }
    return '';
  };

  it.each<[string, (index: Record<string, string>) => string | void, string]>([
    ['a missing shard', () => rmSync(join(folder, second)), `the shard ${second} is missing`],
    ['a tensor not in its shard', (map) => void (map['c'] = first), `tensor 'c' is not in its shard ${first}`],
    [
      'a tensor in two shards',
      () => writeSafetensors(join(folder, second), [a, b]),
      `tensor 'a' is in ${second}, but the index lists it in ${first}`,
    ],
    [
      'a tensor that is not listed',
      () => writeSafetensors(join(folder, second), [b, { ...a, name: 'z' }]),
      `tensor 'z' is in ${second}, but the index does not list it`,
    ],
    ['a tensor twice', () => `{"weight_map": {"a": "${first}", "a": "${second}"}}`, "the index has the key 'a' twice"],
    ['a path', (map) => void (map['a'] = '../x'), 'expected the name of a file beside the index, received "../x"'],
    ['no weight map', () => '{}', "expected a 'weight_map'"],
    ['text', () => 'hello', 'cannot read the index'],
    ['swapped shards', () => swap(), `but the index lists it in ${second}`],
  ])('refuses %s', async (_name, damage, message) => {
    expect(await refusal(damage)).toContain(message);
  });

  function swap(): void {
    renameSync(join(folder, first), join(folder, 'x'));
    renameSync(join(folder, second), join(folder, first));
    renameSync(join(folder, 'x'), join(folder, second));
  }
});
