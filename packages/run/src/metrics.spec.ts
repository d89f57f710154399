import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMetrics, readMetrics } from './metrics.js';

describe('metrics', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'metrics-'));
    file = join(folder, 'runs', 'metrics.jsonl');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const writeSteps = (from: number, to: number) => {
    const writer = openMetrics(file, from);
    for (let step = from; step < to; step++) writer.write({ step, loss: 1 / (step + 3), note: `é${step}` });
    writer.close();
  };

  it('resumes to the same bytes as an uninterrupted run', () => {
    writeSteps(0, 12);
    const uninterrupted = readFileSync(file, 'utf8');
    writeSteps(0, 9);
    writeSteps(5, 12);
    expect(readFileSync(file, 'utf8')).toBe(uninterrupted);
    writeSteps(0, 1);
    expect(readMetrics(file)).toHaveLength(1);
  });

  it('drops a last line that was cut off', () => {
    writeSteps(0, 3);
    const whole = readFileSync(file, 'utf8');
    appendFileSync(file, '{"step":3,"lo');
    expect(readMetrics(file)).toHaveLength(3);
    openMetrics(file, 3).close();
    expect(readFileSync(file, 'utf8')).toBe(whole);
  });

  it('keeps NaN and infinities', () => {
    const writer = openMetrics(file, 0);
    writer.write({ step: 0, a: NaN, b: -Infinity, c: { d: [Infinity, 1] }, e: null });
    expect(readFileSync(file, 'utf8')).toMatch(
      /^\{"step":0,"a":"NaN","b":"-Infinity","c":\{"d":\["Infinity",1\]\},"e":null,"crc":"[0-9a-f]{8}"\}\n$/,
    );
    writer.close();
    expect(readMetrics(file)).toEqual([{ step: 0, a: NaN, b: -Infinity, c: { d: [Infinity, 1] }, e: null }]);
  });

  it('has each line on disk before the next is written', () => {
    const writer = openMetrics(file, 0);
    writer.write({ step: 0 });
    expect(readMetrics(file)).toEqual([{ step: 0 }]);
    writer.close();
  });

  it('sets a damaged file aside, tells of it, and goes on with the records before', () => {
    writeSteps(0, 6);
    const lines = readFileSync(file, 'utf8').split('\n');
    const damaged = [...lines.slice(0, 3), '{"step":', ...lines.slice(4)].join('\n');
    writeFileSync(file, damaged);
    const told: string[] = [];
    openMetrics(file, 5, (warning) => told.push(warning)).close();
    expect(readMetrics(file).map(({ step }) => step)).toEqual([0, 1, 2]);
    expect(readFileSync(`${file}.damaged`, 'utf8')).toBe(damaged);
    expect(told).toEqual([expect.stringContaining(`${file}:4: expected a JSON record`)]);
    expect(told[0]).toContain(`${file}.damaged`);
    writeFileSync(file, damaged);
    openMetrics(file, 5, () => {}).close();
    expect(readFileSync(`${file}.damaged-2`, 'utf8')).toBe(damaged);
  });

  it('finds a changed digit and a missing line, and tells the last step that it has', () => {
    writeSteps(0, 6);
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, whole.replace('0.25', '0.75'));
    expect(() => readMetrics(file)).toThrow(/metrics\.jsonl:2: expected a JSON record, .*: its checksum is another/);
    const lines = whole.split('\n');
    writeFileSync(file, [...lines.slice(0, 2), ...lines.slice(3)].join('\n'));
    expect(() => readMetrics(file)).toThrow('metrics.jsonl:3:');
    writeFileSync(file, whole);
    const writer = openMetrics(file, 4);
    expect(writer.lastStep).toBe(3);
    writer.close();
    expect(openMetrics(join(folder, 'none.jsonl'), 0).lastStep).toBeUndefined();
  });

  it('goes on with records of before there were checksums', () => {
    openMetrics(file, 0).close();
    writeFileSync(file, '{"step":0,"loss":1}\n');
    writeSteps(1, 3);
    expect(readMetrics(file).map(({ step }) => step)).toEqual([0, 1, 2]);
  });

  it('names the line of damage', () => {
    writeSteps(0, 1);
    appendFileSync(file, 'oops\n{"step":2}\n');
    expect(() => readMetrics(file)).toThrow('metrics.jsonl:2: expected a JSON record, received oops');
    expect(() => openMetrics(file, 1)).toThrow('metrics.jsonl:2');
    writeFileSync(file, '{"loss":2}\n');
    expect(() => readMetrics(file)).toThrow("metrics.jsonl:1: expected a record with a numeric 'step'");
    expect(() => readMetrics(join(folder, 'none'))).toThrow('cannot read the metrics');
    expect(() => openMetrics(join(folder, 'new'), 0).write({ step: NaN })).toThrow(RangeError);
  });
});
