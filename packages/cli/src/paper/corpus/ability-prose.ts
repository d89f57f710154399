import type { Constraint } from '@lethe/eval';
import type { Random } from '@lethe/run';
import { kindInstruction } from './instructions.js';

const NAMES = ['Anna', 'the captain', 'my aunt', 'Mr. Hale', 'the clerk', 'Ruth', 'the teacher', 'old Tom'];

const pick = <T>(random: Random, all: readonly T[]): T => all[random.int(all.length)];

/** A demand as somebody in a story would put it. */
function demandText(constraint: Constraint): string[] {
  switch (constraint.kind) {
    case 'keyword':
      return [constraint.present ? `${constraint.word} among them` : `but not ${constraint.word}`];
    case 'order':
      return [constraint.by === 'alphabetical' ? 'in alphabetical order' : 'in reverse alphabetical order'];
    case 'case':
      return [constraint.is === 'upper' ? 'in upper case' : 'in lower case'];
    case 'separator':
      return [`with "${constraint.is}" between them`];
    case 'json':
      return ['in JSON with the key "words"'];
    default:
      return [];
  }
}

type Story = (wanted: string, written: string, random: Random) => string;

const STORIES: Story[] = [
  (wanted, written, random) => `${pick(random, NAMES)} wanted ${wanted}. So ${pick(random, NAMES)} wrote: ${written}`,
  (wanted, written, random) => `${pick(random, NAMES)} had to write ${wanted}. The note said: ${written}`,
  (wanted, written, random) =>
    `On the board ${pick(random, NAMES)} asked for ${wanted}. The result was this: ${written}`,
  (wanted, written) => `Wanted: ${wanted}\nWritten: ${written}`,
  (wanted, written, random) => `"Give me ${wanted}," said ${pick(random, NAMES)}. And here it is: ${written}`,
];

const ASKING = [
  'Q',
  'Request',
  'Asked',
  'Task',
  'Problem',
  'Wish',
  'Letter',
  'Prompt',
  'Order',
  'Customer',
  'Pupil',
  'Exercise',
];
const REPLYING = [
  'A',
  'Reply',
  'Answered',
  'Solution',
  'Result',
  'Gift',
  'My reply',
  'Done',
  'Here',
  'Clerk',
  'Teacher',
  'Response',
];
/** How a page sets its headings: what stands around them, and after the second one. */
const HEADINGS: ((heading: string) => string)[] = [
  (heading) => `${heading}: `,
  (heading) => `${heading}:\n`,
  (heading) => `**${heading}:**\n`,
  (heading) => `## ${heading}\n`,
  (heading) => `_${heading}:_ `,
  (heading) => `* ${heading}. `,
];

/** A request and its answer as pages put them, under headings of many kinds: never the template's. */
function page(prompt: string, response: string, random: Random): string {
  const between = random.next() < 0.5 ? '\n' : '\n\n';
  const asked = pick(random, HEADINGS)(pick(random, ASKING));
  const replied = pick(random, HEADINGS)(pick(random, REPLYING));
  return `${asked}${prompt}${between}${replied}${response}`;
}

/**
 * Prose in which people name things in some manner: what a model of the paper's size has met of instructions in web text,
 * and this corpus has not. No text of the template.
 */
export function abilityDocument(random: Random): string {
  const stories = [0, 1, 2].map(() => {
    const phrasing = random.next() < 0.5 ? 'order' : 'question';
    const { prompt, response, constraints, kind, count } = kindInstruction(1 + random.int(5), random, phrasing);
    if (random.next() < 0.5) return page(prompt, response, random);
    const wanted = [`exactly ${count} ${kind}`, ...constraints.flatMap(demandText)].join(', ');
    return pick(random, STORIES)(wanted, response, random);
  });
  return stories.join('\n');
}
