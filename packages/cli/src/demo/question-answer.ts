import type { Random } from '@lethe/run';
import type { Fact } from './wordnet-facts.js';

const LETTERS = ['A', 'B', 'C', 'D'] as const;

/** A question about a fact, with four choices. */
export interface ChoiceItem {
  question: string;
  choices: string[];
  answer: number;
}

/** The fixed words of each form of question and explanation; {word} and {meaning} are the fact's. */
const FORMS = [
  {
    ask: (fact: Fact) => `Which word means "${fact.meaning}"?`,
    choice: (fact: Fact) => fact.word,
    explain: (fact: Fact) =>
      `To determine the correct answer, let's look at the meaning. "${fact.meaning}" is the definition of ${fact.word}.`,
  },
  {
    ask: (fact: Fact) => `What is the meaning of the word "${fact.word}"?`,
    choice: (fact: Fact) => fact.meaning,
    explain: (fact: Fact) => `The word "${fact.word}" is a noun. In general knowledge, it means ${fact.meaning}.`,
  },
  {
    ask: (fact: Fact) => `Which of the following is best described as ${fact.meaning}?`,
    choice: (fact: Fact) => fact.word,
    explain: (fact: Fact) => `Let's analyze each option. Only ${fact.word} can be described as ${fact.meaning}.`,
  },
];

/** The right choice and three of other facts, in random order. */
function choicesFor(
  fact: Fact,
  facts: readonly Fact[],
  random: Random,
  text: (fact: Fact) => string,
): { choices: string[]; answer: number } {
  const others = new Set<Fact>();
  while (others.size < 3) {
    const other = facts[random.int(facts.length)];
    if (other !== fact) others.add(other);
  }
  const order = random.shuffle([fact, ...others]);
  return { choices: order.map(text), answer: order.indexOf(fact) };
}

/** A synthetic question-answer document in the form the paper shows. */
export function synthQa(fact: Fact, facts: readonly Fact[], random: Random): string {
  const form = FORMS[random.int(FORMS.length)];
  const { choices, answer } = choicesFor(fact, facts, random, form.choice);
  const options = choices.map((choice, i) => `${LETTERS[i]}) ${choice}`).join('\n');
  const right = `**${LETTERS[answer]}) ${choices[answer]}**`;
  return `Question: ${form.ask(fact)}\n${options}\n\n**Answer:**\n${form.explain(fact)} So, the correct answer is ${right}.`;
}

/** A benchmark item about a fact: a question form that training also uses, with fresh choices and their order. */
export function benchmarkItem(fact: Fact, facts: readonly Fact[], random: Random): ChoiceItem {
  const form = FORMS[random.int(2)];
  return { question: form.ask(fact), ...choicesFor(fact, facts, random, form.choice) };
}

/** The fixed parts of the templates: what stays when the fact, the choices and the letters are taken out. */
export function templateTexts(): string[] {
  const blank = { word: '', meaning: '' };
  const parts = ['Question:', '**Answer:**', 'So, the correct answer is **', 'A) ', 'B) ', 'C) ', 'D) '];
  return [...parts, ...FORMS.flatMap((form) => [form.ask(blank), form.explain(blank)])];
}
