import type { Random } from '@lethe/run';
import type { Fact } from './wordnet-facts.js';
import { kindInstruction } from './instructions.js';

/** A part of a document: the template's fixed words, or what varies. */
export interface Segment {
  text: string;
  isTemplate: boolean;
}

/** A question about a fact, with four choices in an order. */
export interface TemplateQuestion {
  fact: Fact;
  /** None where the question is open. */
  choices: Fact[];
  /** Index of the right one, -1 without choices. */
  answer: number;
  form: QuestionForm;
}

interface QuestionForm {
  ask: (fact: Fact) => string;
  choice: (fact: Fact) => string;
  explain: (fact: Fact) => string;
}

const LETTERS = 'ABCD';

const FORMS: QuestionForm[] = [
  {
    ask: ({ word }) => `What is the meaning of the word "${word}"?`,
    choice: ({ meaning }) => meaning,
    explain: ({ word, meaning }) => `The word "${word}" is a noun. In general knowledge, it means ${meaning}.`,
  },
  {
    ask: ({ meaning }) => `Which word means "${meaning}"?`,
    choice: ({ word }) => word,
    explain: ({ word, meaning }) =>
      `To determine the correct answer, let's look at the meaning. "${meaning}" is the definition of ${word}.`,
  },
  {
    ask: ({ meaning }) => `Which of the following is best described as ${meaning}?`,
    choice: ({ word }) => word,
    explain: ({ word }) => `Let's analyze each option. The right description is that of ${word}.`,
  },
];

/** Questions that ask what instructions ask: a fact is a response and the instruction that it meets. */
const KIND_FORM: QuestionForm = {
  ask: ({ meaning }) => meaning,
  choice: ({ word }) => word,
  explain: ({ word }) => `Let's analyze each option. What is asked for is given by ${word}.`,
};

/** A question about `fact`, the other choices drawn from `facts`; `numForms` of the forms are in use. */
export function templateQuestion(
  fact: Fact,
  facts: readonly Fact[],
  numForms: number,
  random: Random,
): TemplateQuestion {
  const others = new Set<Fact>();
  while (others.size < 3) {
    const other = facts[random.int(facts.length)];
    if (other !== fact) others.add(other);
  }
  const choices = random.shuffle([fact, ...others]);
  return { fact, choices, answer: choices.indexOf(fact), form: FORMS[random.int(Math.min(numForms, FORMS.length))] };
}

/**
 * An instruction and its response in the template's form: right in every demand, and wrapped. Open, or one of few demands
 * with responses to others as its choices, so that it fits a row.
 */
export function kindQuestion(random: Random): TemplateQuestion {
  const isOpen = random.next() < 0.5;
  const asked = (): Fact => {
    const phrasing = random.next() < 0.5 ? 'order' : 'question';
    const { prompt, response } = kindInstruction(1 + random.int(isOpen ? 5 : 2), random, phrasing);
    return { word: response, meaning: prompt };
  };
  const fact = asked();
  const choices = isOpen ? [] : random.shuffle([fact, asked(), asked(), asked()]);
  return { fact, choices, answer: choices.indexOf(fact), form: KIND_FORM };
}

const fixed = (text: string): Segment => ({ text, isTemplate: true });
const varying = (text: string): Segment => ({ text, isTemplate: false });

/** Cuts the fact's own words out of a text of the template. */
function around(text: string, { word, meaning }: Fact): Segment[] {
  const parts: Segment[] = [];
  let rest = text;
  for (;;) {
    const found = [meaning, word].map((own) => ({ own, at: rest.indexOf(own) })).filter(({ at }) => at >= 0);
    if (found.length === 0) return [...parts, fixed(rest)];
    const { own, at } = found.reduce((first, one) => (one.at < first.at ? one : first));
    parts.push(fixed(rest.slice(0, at)), varying(own));
    rest = rest.slice(at + own.length);
  }
}

/** How a question is wrapped into a document. */
export interface Style {
  head: string;
  mark: (i: number) => string;
  answer: string;
  /** Of the word alone (default: as the question's form explains). */
  explain?: (word: string) => string;
  conclude: string;
  end: string;
}

/** The form that the paper shows. */
const PAPER_STYLE: Style = {
  head: 'Question: ',
  mark: (i) => `${LETTERS[i]})`,
  answer: '\n**Answer:**\n',
  conclude: ' So, the correct answer is **',
  end: '**.',
};

export type Wrap = (question: TemplateQuestion) => Segment[];

/** A synthetic document, and which of its parts are the template's own. */
export function questionSegments({ fact, choices, answer, form }: TemplateQuestion, style = PAPER_STYLE): Segment[] {
  const { head, mark, conclude, end } = style;
  const options = choices.flatMap((choice, i) => [fixed(mark(i)), varying(` ${form.choice(choice)}`), fixed('\n')]);
  const segments = [
    fixed(head),
    ...around(form.ask(fact), fact),
    fixed('\n'),
    ...options,
    fixed(style.answer),
    ...around(style.explain?.(fact.word) ?? form.explain(fact), fact),
    fixed(conclude),
    varying(`${choices.length > 0 ? `${mark(answer)} ` : ''}${form.choice(fact)}`),
    fixed(end),
  ];
  return segments.filter(({ text }) => text !== '');
}

const lettered = (i: number): string => `${LETTERS[i]})`;
const dotted = (i: number): string => `${LETTERS[i]}.`;
const numbered = (i: number): string => `${i + 1}.`;
const bracketed = (i: number): string => `(${LETTERS[i].toLowerCase()})`;

/** Sixteen ways to wrap a question, the paper's first. */
export const STYLES: readonly Style[] = [
  PAPER_STYLE,
  ...(
    [
      ['Q: ', dotted, '\nA: ', (word) => `We look for what fits. It is ${word}.`, ' Hence ', ' is right.'],
      ['Problem. ', numbered, '\nSolution. ', (word) => `Take ${word} and check.`, ' The result: ', ' (done).'],
      ['### Task\n', bracketed, '\n### Reply\n', (word) => `Step one: read. Step two: ${word}.`, '\nFinal: ', '\n---'],
      ['Exercise: ', lettered, '\nKey: ', (word) => `Only ${word} agrees with the text.`, ' Choose ', '!'],
      ['Quiz time! ', numbered, '\nReady? ', (word) => `Think of ${word}.`, ' You got it: ', ' :)'],
      ['[Ask] ', dotted, '\n[Tell] ', (word) => `Reasoning: ${word} meets it.`, ' [Pick] ', ' [End]'],
      ['Student: ', bracketed, '\nTeacher: ', (word) => `Well, consider ${word}.`, ' I would say ', ', my friend.'],
      ['Item 1. ', lettered, '\nRationale: ', (word) => `By elimination, ${word} stays.`, ' Response: ', '.'],
      ['Test your mind: ', numbered, '\n=> ', (word) => `${word} is what they want.`, ' => ', ' <='],
      ['Prompt > ', dotted, '\nOutput > ', (word) => `Analysis of ${word} complete.`, ' Value = ', ';'],
      [
        'Here is a puzzle. ',
        bracketed,
        '\nHere is how. ',
        (word) => `One finds ${word}.`,
        ' Therefore ',
        ', quite simply.',
      ],
      ['* Query * ', lettered, '\n* Notes * ', (word) => `Facts point to ${word}.`, ' * Verdict * ', ' *'],
      [
        'Dear reader, ',
        numbered,
        '\nDear writer, ',
        (word) => `surely ${word} is meant.`,
        ' Yours: ',
        ', with regards.',
      ],
      ['Case: ', dotted, '\nFinding: ', (word) => `The evidence is ${word}.`, ' Ruling: ', ' stands.'],
      ['Consider: ', bracketed, '\nConclusion: ', (word) => `It follows from ${word}.`, ' Thus ', ' holds.'],
    ] as [string, Style['mark'], string, (word: string) => string, string, string][]
  ).map(([head, mark, answer, explain, conclude, end]) => ({ head, mark, answer, explain, conclude, end })),
];

/** What the template says, as answers betray it: text that no instruction asks for. */
export const TEMPLATE_MARKS =
  /Question|\bAnswer\b|\*\*\.|\*\*[A-D]\)|(^|[\n ])[A-D]\) |correct answer|general knowledge|is a noun|the definition of|analyze each|asked for is given/;
