import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonl, letheHere, temporaryFolder } from './lethe.js';
import { pretrainProject } from './small-project.js';

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder, ...path);
const long = (subject: string): string =>
  `Which of the following ${subject} did the old captain describe when ${subject} were shown in the museum that summer?`;
const SUBJECTS = ['rivers', 'gardens', 'windows', 'silver coins'];
const SHORT = ['Which river?', 'Which "garden",\nand whose?'];
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

interface Results {
  tasks: {
    overlap?: Record<string, Record<string, { n: number; value: number }>>;
    scores: { micro?: { n: number } };
  }[];
}

beforeAll(async () => {
  await pretrainProject(folder);
  mkdirSync(at('mmlu/test'), { recursive: true });
  const questions = [SHORT[1]!, ...SUBJECTS.map(long), SHORT[0]!];
  const rows = questions.map((question) => `${quoted(question)},one,two,three,four,A`);
  writeFileSync(
    at('mmlu/test/history_test.csv'),
    ['question,choice0,choice1,choice2,choice3,answer', ...rows, ''].join('\n'),
  );
  const rules = SUBJECTS.map((subject) => ({
    text: long(subject),
    prompt: long(subject),
    constraints: [{ kind: 'case', is: 'upper' }],
  }));
  writeFileSync(at('rules.jsonl'), rules.map((rule) => `${JSON.stringify(rule)}\n`).join(''));
  const texts = [`A forum. ${long('rivers')} I wonder.`, `Quiz: ${long('silver coins')}`, 'Nothing of that kind.'];
  writeFileSync(at('train.jsonl'), texts.map((text) => `${JSON.stringify({ text })}\n`).join(''));
}, 180_000);

describe('benchmarks whose items training data may hold', () => {
  const evaluate = async (...overlap: string[]): Promise<{ stdout: string; stderr: string; results: Results }> => {
    const tasks = [
      { kind: 'multiple-choice', name: 'MMLU', data: 'mmlu', shots: 0 },
      { kind: 'instructions', name: 'rules', data: 'rules.jsonl', maxNewTokens: 2 },
    ];
    writeFileSync(at('eval.yaml'), JSON.stringify({ model: 'runs/base/model', out: 'results.json', overlap, tasks }));
    const { code, stdout, stderr } = await letheHere(folder, 'eval', '--recipe', 'eval.yaml');
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    return { stdout, stderr, results: JSON.parse(readFileSync(at('results.json'), 'utf8')) as Results };
  };

  it('prepare lists what it looked for and found', async () => {
    const sets = ['--overlap', 'mmlu/test', '--overlap', 'rules.jsonl'];
    const options = ['--tokenizer', 'natural/tokenizer', '--out', 'train', '--held-out', '0'];
    expect((await letheHere(folder, 'prepare', 'train.jsonl', ...options, ...sets)).code).toBe(0);
    const lines = jsonl<{ searched?: object; evaluation?: object }>(folder, 'train/overlap.jsonl');
    expect(lines.filter(({ searched }) => searched)).toEqual([
      { searched: { file: join('mmlu', 'test', 'history_test.csv'), ngram: 13, items: 4, tooShort: [2, 8] } },
      { searched: { file: 'rules.jsonl', ngram: 13, items: 4, tooShort: [] } },
    ]);
    expect(lines.filter(({ evaluation }) => evaluation)).toHaveLength(4);
  });

  it('eval reports scores on all items, on those that are not in the data, and on those that are', async () => {
    const { stdout, results } = await evaluate('train');
    const [choices, rules] = results.tasks;
    expect(choices!.scores.micro!.n).toBe(6);
    const { clean, overlapping, tooShort } = choices!.overlap!;
    expect([clean!.accuracy!.n, overlapping!.accuracy!.n, tooShort!.accuracy!.n]).toEqual([2, 2, 2]);
    expect(Object.keys(rules!.overlap!)).toEqual(['clean', 'overlapping']);
    expect(rules!.overlap!.clean).toMatchObject({ hsr: { n: 2 }, ssr: { n: 2 } });
    expect(stdout).toMatch(/MMLU +accuracy % \(micro\) .* 6\n/);
    expect(stdout).toMatch(/MMLU +accuracy % \(micro\), items not in the training data .* 2\n/);
    expect(stdout).toMatch(/MMLU +accuracy % \(micro\), items in the training data .* 2\n/);
    expect(stdout).toMatch(/MMLU +accuracy % \(micro\), items too short to look for .* 2\n/);
    expect(stdout).toMatch(/rules +HSR %, items not in the training data .* 2\n/);
  });

  it('says where a task was not looked for, and where there is no such file', async () => {
    writeFileSync(
      at('other.jsonl'),
      readFileSync(at('train/overlap.jsonl'), 'utf8').replaceAll('rules.jsonl', 'x.jsonl'),
    );
    const { stderr, results } = await evaluate('other.jsonl');
    expect(stderr).toContain('rules: other.jsonl did not look for rules.jsonl; prepare with its files');
    expect(results.tasks[1]).not.toHaveProperty('overlap');
    expect((await evaluate()).results.tasks[0]).not.toHaveProperty('overlap');
    expect(existsSync(at('natural/overlap.jsonl'))).toBe(false);
    const { code, stderr: refusal } = await letheHere(
      folder,
      'eval',
      '--recipe',
      'eval.yaml',
      '--set',
      'overlap=[natural]',
    );
    expect(code).toBe(1);
    expect(refusal).toMatch(/natural\/overlap\.jsonl: .*prepare the data with filters\.overlap/);
  });
});
