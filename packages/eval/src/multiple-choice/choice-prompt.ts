import type { ChoiceBenchmark } from './choice-benchmark.js';
import { type ChoiceQuestion, type ChoiceSubject, LETTERS } from './choice-question.js';

/** Whose prompts and scoring are followed: the benchmark's own code, lm-evaluation-harness, or OpenCompass (-ppl). */
export const CHOICE_PROTOCOLS = ['original', 'lm-eval', 'opencompass'] as const;
export type ChoiceProtocol = (typeof CHOICE_PROTOCOLS)[number];

/** How a protocol writes a benchmark's prompts. */
interface ChoiceStyle {
  /** Once, before the shots. */
  header: (title: string) => string;
  /** A question up to what precedes the answer. */
  ask: (question: ChoiceQuestion, title: string) => string;
  /** Between question and letter; scored with the letter. */
  joint: string;
  /** After the letter of a shot. */
  shotEnd: string;
}

const choicesOf = ({ choices }: ChoiceQuestion): string =>
  choices.map((text, i) => `\n${LETTERS[i]}. ${text}`).join('');
const english = (spaces: string) => (title: string) =>
  `The following are multiple choice questions (with answers) about${spaces}${title}.\n\n`;
const cmmlu = (title: string): string => `以下是关于${title}的单项选择题，请直接给出正确答案的选项。`;
const ceval = (title: string, exam: string): string =>
  `以下是中国关于${title}${exam}的单项选择题，请选出其中的正确答案。`;

const STYLES: Record<ChoiceBenchmark, Record<ChoiceProtocol, ChoiceStyle>> = {
  mmlu: {
    original: {
      header: english('  '),
      ask: (question) => `${question.question}${choicesOf(question)}\nAnswer:`,
      joint: ' ',
      shotEnd: '\n\n',
    },
    'lm-eval': {
      header: english(' '),
      ask: (question) => `${question.question.trim()}${choicesOf(question)}\nAnswer:`,
      joint: ' ',
      shotEnd: '\n\n',
    },
    // Each shot ends its line, and shots are joined, and closed, by one more: the same text as the original's.
    opencompass: {
      header: english('  '),
      ask: (question) => `${question.question}${choicesOf(question)}\nAnswer:`,
      joint: ' ',
      shotEnd: '\n\n',
    },
  },
  cmmlu: {
    original: {
      header: (title) => `${cmmlu(title)}\n\n`,
      ask: (question) => `题目：${question.question}${choicesOf(question)}\n答案是：`,
      joint: '',
      shotEnd: '\n\n',
    },
    'lm-eval': {
      header: (title) => `${cmmlu(title)}\n\n`,
      ask: (question) => `${question.question.trim()}${choicesOf(question)}\n答案：`,
      joint: ' ',
      shotEnd: '\n\n',
    },
    opencompass: {
      header: () => '',
      ask: (question, title) => `${cmmlu(title)}\n题目：${question.question}${choicesOf(question)}\n答案是:`,
      joint: ' ',
      shotEnd: '\n',
    },
  },
  ceval: {
    original: {
      header: (title) => `${ceval(title, '考试')}\n\n`,
      ask: (question) => `${question.question}${choicesOf(question)}\n答案：`,
      joint: '',
      shotEnd: '\n\n',
    },
    'lm-eval': {
      header: (title) => `${ceval(title, '')}\n\n`,
      ask: (question) => `${question.question.trim()}${choicesOf(question)}\n答案：`,
      joint: ' ',
      shotEnd: '\n\n',
    },
    // A base model's rounds are joined by a line end, so the letter stands on a line of its own.
    opencompass: {
      header: () => '',
      ask: (question, title) => `${ceval(title, '考试')}\n${question.question}${choicesOf(question)}\n答案: `,
      joint: '\n',
      shotEnd: '\n',
    },
  },
};

/** Shots shown unless a number is asked for: five, and none in lm-evaluation-harness. */
export const defaultShots = (protocol: ChoiceProtocol): number => (protocol === 'lm-eval' ? 0 : 5);

/** What is scored after a prompt: the four letters with what joins them to it. */
export function choiceContinuations(benchmark: ChoiceBenchmark, protocol: ChoiceProtocol): string[] {
  return LETTERS.map((letter) => `${STYLES[benchmark][protocol].joint}${letter}`);
}

/** The prompt of a question with its shots, up to what {@link choiceContinuations} continues. */
export function choicePrompt(
  subject: Pick<ChoiceSubject, 'title' | 'shots'>,
  question: ChoiceQuestion,
  { benchmark, protocol, numShots }: { benchmark: ChoiceBenchmark; protocol: ChoiceProtocol; numShots: number },
): string {
  const { header, ask, joint, shotEnd } = STYLES[benchmark][protocol];
  const shots = subject.shots
    .slice(0, numShots)
    .map((shot) => `${ask(shot, subject.title)}${joint}${LETTERS[shot.answer]}${shotEnd}`);
  return `${header(subject.title)}${shots.join('')}${ask(question, subject.title)}`;
}
