import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { jsonl, succeed, temporaryFolder } from './lethe.js';

const data = resolve(__dirname, '..', '..', process.env['LETHE_DATA'] ?? '../shared');
const modelAt = (name: string): string => join(data, 'models', name);
const whenThere = (name: string): typeof describe => (existsSync(modelAt(name)) ? describe : describe.skip);

whenThere('stories260K')('stories260K', () => {
  const folder = temporaryFolder();

  it('its greedy text is the reference, character for character', async () => {
    const model = modelAt('stories260K');
    const prompt = 'Once upon a time';
    const args = ['--prompt', prompt, '--max-new-tokens', '256', '--temperature', '0'];
    const { stdout } = await succeed(folder, 'generate', '--model', model, ...args);
    const reference = readFileSync(join(model, 'reference-greedy.txt'), 'utf8').trimEnd();
    expect(reference.length).toBeGreaterThan(300);
    expect(`${prompt}${stdout}`.slice(0, reference.length)).toBe(reference);
  });
});

whenThere('TinyStories-656K')('TinyStories-656K', () => {
  const folder = temporaryFolder();
  const model = modelAt('TinyStories-656K');

  it('scores: plain English is likelier than shuffled English', async () => {
    const texts = [
      'Once upon a time, there was a little girl named Lily.',
      'Lily a there time named upon girl was Once a.',
    ];
    writeFileSync(join(folder, 'in.jsonl'), texts.map((text) => `${JSON.stringify({ text })}\n`).join(''));
    await succeed(folder, 'score', '--model', model, '--in', 'in.jsonl', '--out', 'out.jsonl');
    const perToken = jsonl<{ logprobs: (number | null)[] }>(folder, 'out.jsonl').map(
      ({ logprobs }) => logprobs.reduce<number>((sum, x) => sum + (x ?? 0), 0) / (logprobs.length - 1),
    );
    expect(perToken[0]).toBeGreaterThan(-5);
    expect(perToken[0]).toBeGreaterThan(perToken[1] + 1);
  });

  it('generates words', async () => {
    const args = ['--prompt', 'Once upon a time', '--max-new-tokens', '32'];
    const { stdout } = await succeed(folder, 'generate', '--model', model, ...args);
    expect(stdout.match(/[A-Za-z]{2,}/g)!.length).toBeGreaterThan(10);
  });
});
