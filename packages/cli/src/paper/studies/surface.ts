import { escapeHtml, htmlPage, htmlTable } from '../../charts/html.js';
import { formatTable } from '../../command-line/table.js';
import { differences, type Effect, effectOf, overRuns } from '../measures/effect.js';
import { points } from './claim.js';
import { interval } from './comparison-page.js';
import type { Study, StudyInput, StudyReport } from './study.js';

const SHARES = [0.02, 0.05, 0.1, 0.3, 0.7];
const STYLE_COUNTS = [1, 4, 16];

const nameOf = (share: number, styles: number): string => `damaged-${100 * share}-${styles}`;

/** A share of synthetic text in so many styles, beside natural text alone. */
interface Cell {
  share: number;
  styles: number;
  /** Points of HSR and SSR of -chat models that it costs. */
  hsr: Effect;
  ssr: Effect;
  /** Mean probability of the first style's tokens in held-out text of that style, above natural text's. */
  patternP: Effect;
}

function cellsOf({ lineages }: StudyInput): Cell[] {
  const chats = (name: string, key: 'hsr' | 'ssr'): number[][] =>
    points(lineages.map((one) => overRuns(one.chats[name].map((run) => run[key]!))));
  const pattern = (name: string): number[][] => lineages.map(({ models }) => models[name].patternP);
  return STYLE_COUNTS.flatMap((styles) =>
    SHARES.map((share): Cell => {
      const name = nameOf(share, styles);
      const cost = (key: 'hsr' | 'ssr'): Effect =>
        effectOf(differences(chats('natural', key), chats(name, key)), `${name} ${key}`);
      return {
        share,
        styles,
        hsr: cost('hsr'),
        ssr: cost('ssr'),
        patternP: effectOf(differences(pattern(name), pattern('natural')), `${name} p`),
      };
    }),
  );
}

const EXPLAINED =
  'Points of HSR after fine-tuning that so much synthetic text costs, less what as many tokens of natural text cost; 95% intervals over seeds and ' +
  'items. Styles: ways in which the same questions are wrapped; the tested chat format begins as the first does, so of 16 styles a sixteenth of ' +
  'the documents look like it.';

const percent = (share: number): string => `${100 * share}%`;

function report(input: StudyInput): StudyReport {
  const cells = cellsOf(input);
  const seeds = input.lineages.map(({ seed }) => seed);
  const header = ['styles', ...SHARES.map(percent)];
  const grid = (key: 'hsr' | 'ssr', show: (effect: Effect) => string): string[][] =>
    STYLE_COUNTS.map((styles) => [
      String(styles),
      ...cells.filter((cell) => cell.styles === styles).map((cell) => show(cell[key])),
    ]);
  const most = Math.max(...cells.flatMap(({ hsr, ssr }) => [hsr.effect, ssr.effect]), 1);
  const shaded = (effect: Effect): string => {
    const depth = Math.max(0, effect.effect / most).toFixed(2);
    const weight = effect.low > 0 ? 'bold' : 'normal';
    return `<span style="background: rgb(213 94 0 / calc(${depth} * .55)); font-weight: ${weight}; padding: .3em">${escapeHtml(interval(effect, 1))}</span>`;
  };
  const body =
    `<p>Seeds ${seeds.join(', ')}. Bold: the interval lies above 0.</p>` +
    `<h2>HSR lost</h2>${htmlTable(header, grid('hsr', shaded))}<h2>SSR lost</h2>${htmlTable(header, grid('ssr', shaded))}` +
    `<p class="note">${escapeHtml(EXPLAINED)}</p>`;
  return {
    numbers: { cells, seeds, seconds: input.seconds },
    page: htmlPage('Where the damage begins', body),
    table: `${formatTable(
      header,
      grid('hsr', (effect) => interval(effect, 1)),
    )}\n\n${EXPLAINED}`,
  };
}

/** From which share of synthetic text on, and in how many styles, instruction following is damaged. */
export const surface: Study = {
  help: 'where damage begins: shares of the text, and its styles',
  files: { numbers: 'surface.json', page: 'surface.html' },
  shards: STYLE_COUNTS.map((styles) => `styles-${styles}` as const),
  recipes: (lineage) => [
    lineage.base(),
    lineage.naturalOnly(),
    ...STYLE_COUNTS.flatMap((styles) =>
      SHARES.map((share) =>
        lineage.damaged(nameOf(share, styles), [
          ...lineage.natural(1 - share),
          lineage.more(`styles-${styles}`, share),
        ]),
      ),
    ),
  ],
  chatRuns: (name) => (name === 'base' ? 0 : 1),
  report,
};
