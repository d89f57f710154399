import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { durationSeconds, repairSettings } from './repair-settings.js';

const folder = mkdtempSync(join(tmpdir(), 'lethe-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

function recipe(text: string): string {
  const file = join(folder, 'repair.yaml');
  writeFileSync(file, text);
  return file;
}

const WHOLE = 'model: models/synth\nsynthetic: qa.jsonl\nnatural: [web.jsonl, books.jsonl]\nbudget: 30m\n';

describe('settings of a repair', () => {
  it('are those of the recipe, and flags go before them', () => {
    const given = { model: 'models/other', threads: 2 };
    expect(repairSettings(recipe(WHOLE), given)).toEqual({
      model: 'models/other',
      synthetic: ['qa.jsonl'],
      natural: ['web.jsonl', 'books.jsonl'],
      budget: '30m',
      threads: 2,
    });
  });

  it('are flags alone where there is no recipe', () => {
    const flags = { model: 'm', synthetic: ['s'], natural: ['n'] };
    expect(repairSettings(undefined, flags)).toEqual(flags);
  });

  it.each([
    [{ finetune: 'f.yaml' }, '--finetune: expected --instructions or --eval beside it'],
    [{ instructions: ['i.jsonl'], finetuneRuns: 2 }, '--finetune-runs: expected --finetune RECIPE beside it'],
  ])('%j lacks what belongs to it', (flags, message) => {
    expect(() => repairSettings(recipe(WHOLE), flags)).toThrow(message);
  });

  it('name what neither says', () => {
    expect(() => repairSettings(recipe('model: m\n'), { natural: ['n'] })).toThrow(
      'repair: expected --synthetic, or a recipe with synthetic',
    );
    expect(() => repairSettings(undefined, {})).toThrow('--model, --synthetic, --natural');
  });

  it.each([
    [`${WHOLE}budget: soon\n`.replace('budget: 30m\n', ''), /:4: budget: a time such as 30m, 90s, 2h or 1d, received/],
    [`${WHOLE}tokenz: 3\n`, /tokenz/],
    [`${WHOLE}device: gpu\n`, /device/],
  ])('of a wrong recipe are refused by key', (text, message) =>
    expect(() => repairSettings(recipe(text), {})).toThrow(message),
  );
});

it.each([
  ['90s', 90],
  ['1.5h', 5400],
  ['2d', 172_800],
  ['0m', undefined],
  ['30', undefined],
])('%s is %p seconds', (text, seconds) => expect(durationSeconds(text)).toBe(seconds));
