import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startLethe, temporaryFolder } from './lethe.js';
import { itCanBeRead } from './readable-page.js';

interface Results {
  repair: {
    before: { verdict: string };
    after: { verdict: string };
    heldOut: { patternP: { end: number; control: number } };
  };
  following: { models: Record<string, { leak: number }> } | null;
}

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, 'runs', 'demo-quick', ...path);
const demo = () => startLethe(folder, 'demo', '--quick');

it('the quick demo damages a model, repairs it as a user would, and goes on after Ctrl-C', async () => {
  const first = demo();
  while (!existsSync(at('models', 'synth', 'metrics.jsonl')) && first.process.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 20));
  first.process.kill('SIGINT');
  const stopped = await first.ended;
  expect({ code: stopped.code, stderr: stopped.stderr }).toEqual({
    code: 130,
    stderr: expect.stringContaining('run the same command to go on'),
  });
  expect(existsSync(at('demo.json'))).toBe(false);

  const { code, stdout } = await demo().ended;
  expect(code).toBe(0);
  const { repair, following } = JSON.parse(readFileSync(at('demo.json'), 'utf8')) as Results;
  // In the eight steps that it has, the repair does what replay alone does not (19% less; the paper's setting does nothing).
  const { end, control } = repair.heldOut.patternP;
  expect(end).toBeLessThan(0.9 * control);
  expect(following!.models.damaged.leak).toBeGreaterThan(50);
  expect(Object.keys(following!.models)).toEqual(['base', 'damaged', 'control', 'repaired']);
  for (const { leak } of Object.values(following!.models)) expect(Number.isFinite(leak)).toBe(true);
  const page = readFileSync(at('repair', 'report.html'), 'utf8');
  expect(page).toContain('Does it follow instructions again?');
  expect(stdout).toMatch(/^replay alone /m);
}, 900000);

itCanBeRead('its page', () => at('repair', 'report.html'));
