import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const lines = (rows: object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Writes a FollowBench of one group a category: 10 items with rules (content, example), 20 to be judged. */
export function writeFollowBench(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const category of ['content', 'situation', 'style', 'format', 'mixed', 'example']) {
    const levels = category === 'example' ? [1, 2, 3, 4, 5] : [0, 1, 2, 3, 4, 5];
    const rows = levels.map((level) => ({
      example_id: 1,
      category,
      source: category === 'content' ? 'E2E' : 'oasst',
      level,
      instruction: `Tell a ${category} with ${level} constraints.`,
      target: category === 'example' ? '{instruction}\nAnswer: {answer}' : 'name[The Mill]',
    }));
    writeFileSync(join(folder, `${category}_constraints.json`), JSON.stringify(rows, null, 2));
  }
}

/** Writes an MT-Bench of two questions, one with reference answers, and prompts of our own. */
export function writeMtBench(folder: string): void {
  mkdirSync(join(folder, 'reference_answer'), { recursive: true });
  const questions = ['writing', 'math'].map((category, i) => ({
    question_id: 81 + i,
    category,
    turns: [`First ${category}?`, `Second ${category}?`],
  }));
  writeFileSync(join(folder, 'question.jsonl'), lines(questions));
  const reference = (text: string): string =>
    lines([{ question_id: 82, choices: [{ turns: [`${text} 1`, `${text} 2`] }] }]);
  writeFileSync(join(folder, 'reference_answer/gpt-4.jsonl'), reference('wrong'));
  writeFileSync(join(folder, 'reference_answer/gpt-4-0125-preview.jsonl'), reference('corrected'));
  const prompt = (name: string, template: string): object => ({
    name,
    type: 'single',
    system_prompt: `You judge by ${name}.`,
    prompt_template: template,
    output_format: '[[rating]]',
  });
  const prompts = [
    prompt('single-v1', 'Q {question} A {answer}'),
    prompt('single-math-v1', 'Q {question} R {ref_answer_1} A {answer}'),
    prompt('single-v1-multi-turn', 'Q {question_1} A {answer_1} Q {question_2} A {answer_2}'),
    prompt(
      'single-math-v1-multi-turn',
      'Q {question_1} R {ref_answer_1} A {answer_1} Q {question_2} R {ref_answer_2} A {answer_2}',
    ),
  ];
  writeFileSync(join(folder, 'judge_prompts.jsonl'), lines(prompts));
}
