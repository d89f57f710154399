import type { FollowedScore, Interval, Reach, Relapse, RelapsePath, RepairResults } from './results.js';

const shown = (x: number): string => (Math.abs(x) >= 100 ? x.toFixed(0) : x.toPrecision(3));

/** A statistic with its interval. */
export const intervalText = ({ value, low, high }: Interval): string =>
  `${shown(value)} [${shown(low)}, ${shown(high)}]`;

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`;

/** A probability with its interval, in percent. */
export const percentText = ({ value, low, high }: Interval): string =>
  `${percent(value)} [${percent(low)}, ${percent(high)}]`;

/** A multiple as a change: 1.013 as +1.3%. */
export const changeText = ({ value, low, high }: Interval): string => {
  const change = (x: number): string => {
    const text = (100 * (x - 1)).toFixed(1);
    return text === '-0.0' ? '0.0%' : `${text.startsWith('-') ? '' : '+'}${text}%`;
  };
  return `${change(value)} [${change(low)}, ${change(high)}]`;
};

/** What the whole repair says, in one or two plain sentences. */
export function sentence({ before, after, intervals, price, reach }: RepairResults): string {
  const { start, end, control } = intervals.patternP;
  if (after.verdict === 'not-run') {
    const lead = {
      advised: 'A repair is advised',
      'not-advised': 'No repair is advised, and nothing was trained',
      'cannot-tell': 'Whether a repair is due cannot be told, and nothing was trained',
    }[before.verdict];
    return `${lead}: ${before.why}.`;
  }
  const lead = {
    repaired: 'Repaired',
    'not-repaired': 'Not repaired',
    'cannot-tell': 'Whether it is repaired cannot be told',
  }[after.verdict];
  return (
    `${lead}: ${after.why}. The model gave the pattern's words a probability of ${percentText(start)} and now gives them ` +
    `${percentText(end!)}; replay alone would have left ${percentText(control!)}. ` +
    `The price: the perplexity of natural text is ${changeText(price!.againstControl)} beside replay alone${contentText(price!.contentKept)}.` +
    after.followed.map(followedText).join('') +
    (reach && reach.start.high <= CONFINED ? ` But ${confinedText(reach)}.` : '')
  );
}

/** A difference of scores, in points. */
const pointsText = ({ value, low, high }: Interval): string => {
  const points = (x: number): string => (100 * x).toFixed(1).replace('-0.0', '0.0');
  return `${value < 0 ? '' : '+'}${points(value)} points [${points(low)}, ${points(high)}]`;
};

const followedText = ({ name, gained, besideControl, lost }: FollowedScore): string =>
  ` Its score of ${name}: ${pointsText(gained)} beside the model before, ${pointsText(besideControl)} beside replay alone` +
  `${lost ? `; the synthetic text had cost ${pointsText(lost).replace('+', '')}` : ''}.`;

const contentText = (kept: Interval | null): string =>
  kept ? `, and ${percentText(kept)} is left of the probability of what the synthetic text says` : '';

/** Up to this share of answers the pattern stays within its own text. */
export const CONFINED = 0.1;

/** What a pattern that stays within its own text means for a repair. */
export const confinedText = ({ asked, requests }: Pick<Reach, 'asked' | 'requests'>): string =>
  `next to none of the model's answers to ${requests} ${asked} had the pattern: nothing here shows that it reaches beyond its own ` +
  'text, or that unlearning it gives anything else back (docs/repair.md)';

/** How soon the pattern comes back. */
export function relapseText({ share, repaired, base, back }: Relapse): string {
  const tokens = (count: number): string => `${count.toLocaleString('en')} tokens`;
  const within = tokens(repaired.path.at(-1)!.tokens);
  const of = ({ backAfter }: RelapsePath): string =>
    backAfter === null ? `not within ${within}` : `after ${tokens(backAfter)}`;
  const ofBase = base ? `; in the base, which never saw it, ${of(base)}` : '';
  return (
    `Trained on with ${100 * share}% synthetic text among the natural, the repaired model gives the pattern half of its old probability ` +
    `(${percent(back)}) ${of(repaired)}${ofBase}. ` +
    (repaired.backAfter === null ? '' : 'Repair last, or keep such text out of what follows.')
  ).trim();
}

/** The page's title. */
export function headline({ before, after }: RepairResults): string {
  if (after.verdict === 'repaired') return 'Repaired';
  if (after.verdict === 'not-repaired') return 'Not repaired';
  if (after.verdict === 'cannot-tell') return 'Repair: cannot tell';
  return before.verdict === 'not-advised' ? 'No repair advised' : 'Diagnosis: cannot tell';
}
