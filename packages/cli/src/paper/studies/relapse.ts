import type { TrainRecipe } from '@lethe/train';
import { curve, axisX, axisY, figure, HEIGHT, legend, placeX, placeY, type Point } from '../../charts/axes.js';
import { escapeHtml, htmlPage, htmlTable } from '../../charts/html.js';
import { formatTable } from '../../command-line/table.js';
import type { Lineage } from '../lineage/lineage.js';
import { differences, type Effect, effectOf } from '../measures/effect.js';
import type { Regime } from '../regime.js';
import { ofModel, points } from './claim.js';
import { interval } from './comparison-page.js';
import type { Study, StudyInput, StudyReport } from './study.js';

/** Models that training goes on from: never damaged, repaired in two ways, and replay alone. */
const STARTS = ['base', 'template', 'all', 'control'] as const;
/** Steps after which the pattern is looked for: a quarter of refining's to four times as many. */
const stepsOfLooks = ({ refine }: Regime): number[] => [1 / 4, 1 / 2, 1, 2, 4].map((k) => Math.ceil(k * refine.steps));
/** Of synthetic text in what training goes on with. */
const SHARE = 0.02;

const nameOf = (start: string, steps: number): string => (steps === 0 ? start : `relapse-${start}-${steps}`);

/** A start after so many steps more. */
interface Look {
  start: string;
  steps: number;
  /** Mean probability of the template's tokens. */
  patternP: Effect;
  /** Answers that betray the template, in points. */
  leak: Effect;
  /** The probability above that of the base model after as many steps. */
  aboveBase: Effect;
}

function looksOf({ lineages, regime }: StudyInput): Look[] {
  const pattern = (start: string, steps: number): number[][] =>
    ofModel(lineages, nameOf(start, steps), ({ patternP }) => patternP);
  return STARTS.flatMap((start) =>
    [0, ...stepsOfLooks(regime)].map((steps): Look => {
      const name = nameOf(start, steps);
      const leak = points(ofModel(lineages, name, (measures) => measures.leak));
      return {
        start,
        steps,
        patternP: effectOf(pattern(start, steps), `${name} p`),
        leak: effectOf(leak, `${name} leak`),
        aboveBase: effectOf(differences(pattern(start, steps), pattern('base', steps)), `${name} above base`),
      };
    }),
  );
}

function curves(looks: readonly Look[]): string {
  const range = { from: 0, to: Math.max(...looks.map(({ steps }) => steps)) };
  const [toX, toY] = [placeX(range), placeY({ from: 0, to: 1 })];
  const drawn = STARTS.map((start, i) =>
    curve(
      looks.filter((look) => look.start === start).map(({ steps, patternP }): Point => [steps, patternP.effect]),
      ([steps, p]) => [toX(steps), toY(p)],
      { i, name: start },
    ),
  );
  const vertical = `<text transform="translate(14,${HEIGHT / 2}) rotate(-90)" text-anchor="middle">pattern p</text>`;
  return (
    legend([...STARTS]) +
    figure(
      'how the pattern comes back',
      axisX(range, `steps with ${100 * SHARE}% synthetic text`) + axisY({ from: 0, to: 1 }) + drawn.join('') + vertical,
    )
  );
}

const HEADER = ['from', 'steps', 'pattern p', 'leak %', 'above base'];
const EXPLAINED =
  `Training goes on at the learning rate of refining with ${100 * SHARE}% synthetic text among the natural. Pattern p: mean probability of the ` +
  'template\u2019s tokens in held-out synthetic text. base never saw the text before: the null. control: replay alone, whose pattern never left.';

function report(input: StudyInput): StudyReport {
  const looks = looksOf(input);
  const seeds = input.lineages.map(({ seed }) => seed);
  const rows = looks.map(({ start, steps, patternP, leak, aboveBase }) => [
    start,
    String(steps),
    interval(patternP, 3),
    interval(leak, 1),
    interval(aboveBase, 3),
  ]);
  const body =
    `<p>Seeds ${seeds.join(', ')}.</p>${curves(looks)}` +
    htmlTable(
      HEADER,
      rows.map((row) => row.map(escapeHtml)),
    ) +
    `<p class="note">${escapeHtml(EXPLAINED)}</p>`;
  return {
    numbers: { looks, seeds, seconds: input.seconds },
    page: htmlPage('Does the repair last?', body),
    table: `${formatTable(HEADER, rows)}\n\n${EXPLAINED}`,
  };
}

function recipes(lineage: Lineage, regime: Regime): TrainRecipe[] {
  const { repairs, replayAbilityShare } = regime;
  const looks = stepsOfLooks(regime);
  const mixed = [...lineage.natural(1 - SHARE, replayAbilityShare), ...lineage.templated(SHARE)];
  const going = STARTS.flatMap((start) =>
    looks.map((steps, i) => {
      const before = looks[i - 1] ?? 0;
      return lineage.goOn(nameOf(start, steps), {
        from: nameOf(start, before),
        part: 100 + i,
        steps: steps - before,
        replay: mixed,
      });
    }),
  );
  const starts = STARTS.filter((start) => start !== 'base').map((start) => lineage.repair(start, repairs[start]));
  return [lineage.base(), lineage.synth(), ...starts, ...going];
}

/** How soon the pattern is back when training goes on with a little synthetic text. */
export const relapse: Study = {
  help: 'how soon the pattern is back with 2% synthetic text',
  files: { numbers: 'relapse.json', page: 'relapse.html' },
  recipes,
  chatRuns: () => 0,
  report,
};
