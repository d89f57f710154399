import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failure, misuseHere, temporaryFolder } from './lethe.js';
import { publishedModel, whenThere } from './serving.js';

/** Names of functions as they begin assertions, zod's own wording, and addon calls in brackets: none is for users. */
const INTERNAL =
  /^lethe: (?:[a-z]+[A-Z]\w*|generate|batch|int|metrics|rewind)(?:\.\w+)?: |Too (?:big|small)|Invalid (?:input|option)|\[\w+\]/m;

whenThere('TinyStories-656K')('values at an edge', () => {
  const folder = temporaryFolder();
  const model = publishedModel('TinyStories-656K');
  const texts = join(folder, 'texts.jsonl');
  const one = ['--model', model, '--prompt', 'a'];
  const prepare = ['prepare', texts, '--tokenizer', model, '--out', 'out'];
  const evaluate = (task: string) => ['eval', '--model', model, '--out', 'r.json', '--set', `tasks=[{${task}}]`];
  beforeAll(() => writeFileSync(texts, '{"text":"one"}\n{"text":"two"}\n'));

  it.each<[expected: string, command: string[]]>([
    ['take at most 510', ['generate', ...one, '--max-new-tokens', '511']],
    ['shorten the prompt', ['generate', '--model', model, '--prompt', 'a '.repeat(600)]],
    [
      'texts.jsonl: expected documents to train on, received none: all 2 were held out; give more documents, or lower',
      [...prepare, '--held-out', '0.9999'],
    ],
    ['maxLength: expected >= 2, received number 1', evaluate('kind: perplexity, name: p, shards: s, maxLength: 1')],
    ['tasks: expected a list of length >= 1, received a list of 0', ['eval', '--model', model, '--set', 'tasks=[]']],
  ])('%s', async (expected, command) => {
    const message = await failure(folder, ...command);
    expect(message).toContain(expected);
    expect(message).not.toMatch(INTERNAL);
  });

  it.each<[expected: string, command: string[]]>([
    ['expected an integer >= 1', ['generate', ...one, '--max-new-tokens', '0']],
    ['expected an integer of at most 9007199254740991', ['generate', ...one, '--seed', '1e300']],
    ['expected a share above 0, at most 1', ['generate', ...one, '--top-p', '1.5']],
    ['expected a share above 0, at most 1', ['generate', ...one, '--top-p', '0']],
    ['expected a number >= 0', ['generate', ...one, '--temperature', 'Infinity']],
    ['expected 1 to 4096 threads', ['generate', ...one, '--threads', '5000']],
    ['--set', [...prepare, '--set', 'seed=1e300']],
  ])('%s: the command line is wrong', async (expected, command) => {
    const message = await misuseHere(folder, ...command);
    expect(message).toContain(expected);
    expect(message).not.toMatch(INTERNAL);
  });
});
