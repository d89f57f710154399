import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '@lethe/run';
import { type Ended, filesIn, startLethe, succeed, temporaryFolder } from './lethe.js';
import { prepareProject } from './small-project.js';

const NUM_DOCUMENTS = 10_000;
const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);
const command = (out: string): string[] => ['prepare', '--recipe', 'large.yaml', '--out', out];

/** The shards' files, tokenizer and lists included; prepare.json tells times and is left out. */
const written = (out: string): Record<string, string> =>
  Object.fromEntries(
    filesIn(at(out))
      .filter((name) => name !== 'prepare.json')
      .map((name) => [name, readFileSync(at(out, name)).toString('base64')]),
  );

/** Starts the preparation and sends a signal as soon as it can go on from somewhere. */
async function interrupt(out: string, signal: NodeJS.Signals): Promise<Ended> {
  const running = startLethe(folder, ...command(out));
  const isReady = (): boolean => existsSync(at(out, 'prepare-state.json')) || running.process.exitCode !== null;
  while (!isReady()) await new Promise((resolve) => setTimeout(resolve, 2));
  running.process.kill(signal);
  return running.ended;
}

beforeAll(async () => {
  await prepareProject(folder);
  const random = seededRandom(1, 'large');
  const word = (): string => Array.from({ length: 2 + random.int(7) }, () => 'etaoinshrdlu'[random.int(12)]).join('');
  const document = (): string => Array.from({ length: 20 + random.int(80) }, word).join(' ');
  const rows = Array.from({ length: NUM_DOCUMENTS }, (_, i) => `${JSON.stringify({ text: `${i}. ${document()}` })}\n`);
  rows[100] = 'not JSON\n';
  writeFileSync(at('large.jsonl'), rows.join(''));
  const recipe = ['sources: [large.jsonl]', 'out: large', 'tokenizer: natural/tokenizer', 'checkpointTokens: 100000'];
  const filters = 'filters: { length: { minWords: 22 } }';
  writeFileSync(at('large.yaml'), `${[...recipe, filters].join('\n')}\n`);
  await succeed(folder, ...command('whole'));
}, 180_000);

describe('a preparation that is stopped and started again by the same command', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s: exits %d, says how to go on, and ends with the same bytes', async (signal, code) => {
    const stopped = await interrupt(signal, signal);
    expect([stopped.code, stopped.stdout]).toEqual([code, '']);
    const hint = `run the same command to go on: npx lethe ${command(signal).join(' ')}`;
    expect(stopped.stderr).toContain(`${signal}: stopped; ${signal} holds no finished shards; ${hint}`);
    expect(existsSync(at(signal, 'train/index.json'))).toBe(false);
    expect(existsSync(at(signal, 'prepare.json'))).toBe(false);

    const { stderr } = await succeed(folder, ...command(signal));
    const [, numDone] = /went on after the (\d+) documents of an interrupted preparation/.exec(stderr)!;
    expect(Number(numDone)).toBeGreaterThan(0);
    expect(Number(numDone)).toBeLessThan(NUM_DOCUMENTS);
    expect(written(signal)).toEqual(written('whole'));
    expect(filesIn(at('whole'))).toEqual(
      expect.arrayContaining(['train/index.json', 'wrong-rows.jsonl', 'dropped.jsonl']),
    );
    expect((await succeed(folder, ...command(signal))).stderr).toContain('the same preparation is there already');
  });
});
