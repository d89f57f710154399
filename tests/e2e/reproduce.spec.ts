import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failureHere, letheHere, temporaryFolder } from './lethe.js';
import { pretrainProject } from './small-project.js';

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);

beforeAll(async () => {
  await pretrainProject(folder);
  await letheHere(folder, 'unlearn', '--recipe', 'unlearn.yaml', '--set', 'steps=6', '--set', 'name=first');
}, 60000);

describe('lethe reproduce', () => {
  it('makes a run again beside it, bit for bit', async () => {
    const { code, stdout } = await letheHere(folder, 'reproduce', 'runs/first');
    expect(code).toBe(0);
    expect(stdout).toContain(`reproduced: ${join('runs', 'first-again')} is runs/first`);
    expect(stdout).toMatch(/^measures {2}\d+ identical$/m);
    expect(stdout).toMatch(/^weights {3}identical, SHA-256 [0-9a-f]{64}$/m);
    const weights = ['first', 'first-again'].map((name) => readFileSync(at('runs', name, 'model/model.safetensors')));
    expect(weights[0].equals(weights[1])).toBe(true);
  });

  it('compares again without training when the run is there', async () => {
    const { code, stdout, stderr } = await letheHere(folder, 'reproduce', 'runs/first', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ reproduced: true, measures: { numDifferent: 0 } });
    expect(stderr).toContain('nothing to do');
  });

  it('tells where a run differs, what was different around it, and exits with 1', async () => {
    cpSync(at('runs/first'), at('runs/edited'), { recursive: true });
    const sealed = readFileSync(at('runs/edited/metrics.jsonl'), 'utf8');
    const lines = sealed.replaceAll(/,"crc":"[0-9a-f]{8}"/g, '').split('\n'); // As files of before have none.
    const record = JSON.parse(lines[2]) as { step: number; replay: number };
    lines[2] = JSON.stringify({ ...record, replay: 2 * record.replay });
    writeFileSync(at('runs/edited/metrics.jsonl'), lines.join('\n'));
    const manifest = readFileSync(at('runs/edited/manifest.json'), 'utf8');
    writeFileSync(at('runs/edited/manifest.json'), manifest.replace(/"cpu": "[^"]*"/, '"cpu": "another"'));
    const { code, stdout } = await letheHere(folder, 'reproduce', 'runs/edited', '--name', 'compared');
    expect(code).toBe(1);
    expect(stdout).toContain(`not reproduced: ${join('runs', 'compared')} differs from runs/edited`);
    expect(stdout).toMatch(/^measures {2}1 of \d+ differ$/m);
    expect(stdout).toMatch(/^ {2}first {3}replay at step 3: \S+ then, \S+ now \(5\.0e-1 of it\)$/m);
    expect(stdout).toMatch(/^weights {3}identical/m);
    expect(stdout).toMatch(/^processor +another /m);
  });

  it('refuses what cannot be made again, by its name', async () => {
    expect(await failureHere(folder, 'reproduce', 'runs')).toContain('no manifest.json in it');
    cpSync(at('runs/first'), at('runs/cut'), { recursive: true });
    const manifest = readFileSync(at('runs/cut/manifest.json'), 'utf8');
    writeFileSync(at('runs/cut/manifest.json'), manifest.replace('"finished"', '"stopped by SIGINT"'));
    expect(await failureHere(folder, 'reproduce', 'runs/cut')).toContain('has not finished (stopped)');
    writeFileSync(at('runs/cut/manifest.json'), manifest.replace(/"sha256": "./, '"sha256": "x'));
    expect(await failureHere(folder, 'reproduce', 'runs/cut')).toMatch(
      /not the (replay|forget) data that runs\/cut learned from/,
    );
    writeFileSync(at('runs/cut/manifest.json'), manifest.replace('"lr":', '"rate":'));
    expect(await failureHere(folder, 'reproduce', 'runs/cut')).toContain('the recipe is not one of this version');
  });
});
