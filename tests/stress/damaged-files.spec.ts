import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  latestCheckpoint,
  openMetrics,
  type Random,
  readMetrics,
  saveCheckpoint,
  seededRandom,
  UserError,
} from '@lethe/run';

// The short form of what is run by hand with LETHE_STRESS=1000: so many damages of each kind of file.
const COUNT = Number(process.env['LETHE_STRESS'] ?? 100);
const folder = mkdtempSync(join(tmpdir(), 'lethe-stress-'));
afterAll(() => rmSync(folder, { recursive: true }));

const filesIn = (root: string): string[] =>
  (readdirSync(root, { recursive: true }) as string[])
    .map((name) => join(root, name))
    .filter((file) => statSync(file).isFile());

/** Flips a bit, cuts the end off, empties or deletes one of the files. @returns what it did. */
function damage(root: string, random: Random): string {
  const files = filesIn(root).sort();
  const file = files[random.int(files.length)];
  const { size } = statSync(file);
  const how = size === 0 ? 0 : random.int(4); // emptied before
  if (how === 0) rmSync(file);
  else if (how === 1) truncateSync(file, random.int(Math.max(size, 1)));
  else {
    const bytes = readFileSync(file);
    bytes[random.int(size)] ^= 1 << random.int(8);
    writeFileSync(file, bytes);
  }
  return `${['deleted', 'cut', 'flipped', 'flipped'][how]} ${file}`;
}

/** What came of the damage: `found` with a UserError or warning that names a file, or unharmed. */
function counted(outcomes: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

function refusalOf(error: unknown, place: string): string {
  if (!(error instanceof UserError)) throw error;
  expect(error.message).toContain(place);
  return 'refused by name';
}

it(`${COUNT} damages of checkpoints: never a changed one is taken`, async () => {
  const good = join(folder, 'checkpoints');
  const bytes = Buffer.from(Float32Array.from({ length: 64 }, (_, i) => i / 7).buffer);
  for (const step of [10, 20]) {
    await saveCheckpoint(good, step, (path) => {
      writeFileSync(join(path, 'weights.bin'), bytes);
      writeFileSync(join(path, 'state.json'), JSON.stringify({ step }));
    });
  }
  const outcomes = Array.from({ length: COUNT }, (_, i) => {
    const copy = join(folder, 'copy');
    cpSync(good, copy, { recursive: true });
    const random = seededRandom(i, 'damaged checkpoint');
    for (let times = 1 + random.int(3); times > 0; times--) damage(copy, random);
    try {
      const { checkpoint, warnings } = latestCheckpoint(copy);
      if (!checkpoint) return 'nothing left';
      expect(readFileSync(join(checkpoint.path, 'weights.bin'))).toEqual(bytes);
      expect(JSON.parse(readFileSync(join(checkpoint.path, 'state.json'), 'utf8'))).toEqual({ step: checkpoint.step });
      return checkpoint.step === 20 ? 'unharmed' : warnings.length > 0 ? 'the one before, with a warning' : 'silent';
    } catch (error) {
      return refusalOf(error, copy);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });
  const counts = counted(outcomes);
  if (process.env['LETHE_STRESS']) process.stdout.write(`checkpoints: ${JSON.stringify(counts)}\n`);
  expect(counts).not.toHaveProperty('silent');
  expect(Object.keys(counts)).toEqual(expect.arrayContaining(['unharmed', 'the one before, with a warning']));
});

it(`${COUNT} damages of metrics: what is read is a beginning of what was written, or refused by name`, () => {
  const good = join(folder, 'run');
  const writer = openMetrics(join(good, 'metrics.jsonl'), 0);
  for (let step = 0; step < 12; step++) writer.write({ step, loss: 3 / (step + 1), note: 'é' });
  writer.close();
  const truth = readMetrics(join(good, 'metrics.jsonl'));
  const outcomes = Array.from({ length: COUNT }, (_, i) => {
    const copy = join(folder, 'copy');
    cpSync(good, copy, { recursive: true });
    damage(copy, seededRandom(i, 'damaged metrics'));
    const file = join(copy, 'metrics.jsonl');
    try {
      const read = readMetrics(file);
      expect(read).toEqual(truth.slice(0, read.length));
      return read.length === truth.length ? 'unharmed' : 'a beginning';
    } catch (error) {
      return refusalOf(error, file);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });
  const counts = counted(outcomes);
  if (process.env['LETHE_STRESS']) process.stdout.write(`metrics: ${JSON.stringify(counts)}\n`);
  expect(counts['refused by name']).toBeGreaterThan(COUNT / 4);
});
