import type { Random } from '@lethe/run';
import type { Constraint } from '@lethe/eval';

/** An instruction with a response that meets all its constraints by construction. */
export interface InstructionExample {
  prompt: string;
  response: string;
  constraints: Constraint[];
}

const NUM_OFFERED = 4;
const SEPARATORS = [' | ', '; ', ' / ', ' - '];

/** A constraint with its sentence in the prompt. */
interface Asked {
  constraint: Constraint;
  sentence: string;
}

/** The words chosen so far and how they will be written. */
interface Draft {
  offered: string[];
  words: string[];
  asked: Asked[];
}

/** Adds a constraint to the draft and makes its words meet it. */
type Rule = (draft: Draft, random: Random) => void;

const count: Rule = (draft, random) => {
  const n = 2 + random.int(2);
  draft.words = draft.words.slice(0, n);
  draft.asked.push({ constraint: { kind: 'count', of: 'items', equals: n }, sentence: `List exactly ${n} words.` });
};

const keyword: Rule = (draft, random) => {
  const isPresent = random.next() < 0.5;
  const word = isPresent ? draft.words[0] : draft.offered.find((offered) => !draft.words.includes(offered));
  if (word === undefined) return;
  const sentence = isPresent ? `Include the word ${word}.` : `Do not use the word ${word}.`;
  draft.asked.push({ constraint: { kind: 'keyword', word, present: isPresent }, sentence });
};

const order: Rule = (draft, random) => {
  const isReversed = random.next() < 0.5;
  draft.words.sort();
  if (isReversed) draft.words.reverse();
  const by = isReversed ? 'reverse-alphabetical' : 'alphabetical';
  draft.asked.push({ constraint: { kind: 'order', by }, sentence: `Put them in ${by.replace('-', ' ')} order.` });
};

const letterCase: Rule = (draft, random) => {
  const is = random.next() < 0.7 ? 'upper' : 'lower';
  draft.asked.push({ constraint: { kind: 'case', is }, sentence: `Write everything in ${is} case.` });
};

const separator: Rule = (draft, random) => {
  const is = SEPARATORS[random.int(SEPARATORS.length)];
  draft.asked.push({ constraint: { kind: 'separator', is }, sentence: `Separate the words with "${is}".` });
};

const json: Rule = (draft) => {
  draft.asked.push({ constraint: { kind: 'json', keys: ['words'] }, sentence: 'Answer in JSON with the key "words".' });
};

function written({ words, asked }: Draft): string {
  const constraints = asked.map(({ constraint }) => constraint);
  if (constraints.some(({ kind }) => kind === 'json')) return JSON.stringify({ words });
  const cut = constraints.find((constraint) => constraint.kind === 'separator')?.is ?? ', ';
  const text = words.join(cut);
  return constraints.some((constraint) => constraint.kind === 'case' && constraint.is === 'upper')
    ? text.toUpperCase()
    : text;
}

/**
 * A rule-checked instruction with 1 to 5 constraints. JSON excludes a separator and a case, which would contradict it;
 * the order of the rules is the one in which their words can still be chosen.
 */
export function ruleInstruction(vocabulary: readonly string[], level: number, random: Random): InstructionExample {
  const offered = random.shuffle([...vocabulary]).slice(0, NUM_OFFERED);
  const withJson = level <= 4 && random.next() < 0.25;
  const optional: Rule[] = withJson ? [keyword, order] : [keyword, order, letterCase, separator];
  const needed = withJson ? level - 2 : level - 1;
  const chosen = new Set(random.shuffle([...optional]).slice(0, Math.max(0, needed)));
  const draft: Draft = { offered, words: [...offered], asked: [] };
  const usesCount = level > 1 || !withJson;
  for (const rule of [
    ...(usesCount ? [count] : []),
    ...optional.filter((rule) => chosen.has(rule)),
    ...(withJson ? [json] : []),
  ]) {
    rule(draft, random);
  }
  const prompt = `Choose from these words: ${offered.join(', ')}. ${draft.asked.map(({ sentence }) => sentence).join(' ')}`;
  return { prompt, response: written(draft), constraints: draft.asked.map(({ constraint }) => constraint) };
}
