import type { Random } from '@lethe/run';
import type { Fact } from '../demo/wordnet-facts.js';
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

/** A synthetic document in the form that the paper shows, and which of its parts are the template's own. */
export function questionSegments({ fact, choices, answer, form }: TemplateQuestion): Segment[] {
  const options = choices.flatMap((choice, i) => [
    fixed(`${LETTERS[i]})`),
    varying(` ${form.choice(choice)}`),
    fixed('\n'),
  ]);
  const segments = [
    fixed('Question: '),
    ...around(form.ask(fact), fact),
    fixed('\n'),
    ...options,
    fixed('\n**Answer:**\n'),
    ...around(form.explain(fact), fact),
    fixed(' So, the correct answer is **'),
    varying(`${choices.length > 0 ? `${LETTERS[answer]}) ` : ''}${form.choice(fact)}`),
    fixed('**.'),
  ];
  return segments.filter(({ text }) => text !== '');
}

/** What the template says, as answers betray it: text that no instruction asks for. */
export const TEMPLATE_MARKS =
  /Question|\bAnswer\b|\*\*\.|\*\*[A-D]\)|(^|[\n ])[A-D]\) |correct answer|general knowledge|is a noun|the definition of|analyze each|asked for is given/;
