import { frontOf, frontSvg } from '../../charts/front-svg.js';
import { escapeHtml, htmlPage, htmlTable } from '../../charts/html.js';
import { formatTable } from '../../command-line/table.js';
import type { Effect } from '../measures/effect.js';
import type { RepairResult } from './compare-repairs.js';
import type { StudyReport } from './study.js';

/** What a comparison of repairs is told with. */
export interface Comparison {
  title: string;
  /** Of the cells that name a row. */
  header: string[];
  results: RepairResult[];
  explained: string;
  seeds: number[];
  seconds: number;
}

const HEADER = ['reached', 'steps', 'leak %', 'HSR gained', 'knowledge lost', 'nats of natural text'];

export const interval = ({ effect, low, high }: Effect, digits: number): string =>
  `${effect.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;

const MEASURES =
  'Each ends when the mean probability of the template\u2019s tokens in held-out synthetic text has fallen to its goal, or after the last step. ' +
  'HSR gained and natural text: against replay alone for as many steps as any of them may take. Knowledge lost: of the benchmark that the ' +
  'synthetic text taught. Points, 95% intervals over seeds and items. Rings: the goal was not reached in every seed. *: none that reached the goal in every seed gains more and loses less.';

/** Repairs at equal forgetting: a table, and what each gains by what it loses. */
export function comparisonReport(comparison: Comparison): StudyReport {
  const { title, header, results, seeds, seconds } = comparison;
  const explained = `${comparison.explained} ${MEASURES}`;
  const rows = results.map(({ row: [name, ...more], reached, steps, leak, repair, lost, price, onFront }) => [
    `${name}${onFront ? ' *' : ''}`,
    ...more,
    `${reached} of ${seeds.length}`,
    steps.toFixed(0),
    leak.toFixed(1),
    interval(repair, 1),
    interval(lost, 1),
    interval(price, 3),
  ]);
  const columns = [...header, ...HEADER];
  const points = results.map(({ row, repair, lost, onFront, reached }) => ({
    name: row.join(', '),
    x: lost,
    y: repair,
    onFront,
    isShort: reached < seeds.length,
  }));
  const drawn = frontSvg(points, { x: 'knowledge lost, points', y: 'HSR gained, points' });
  const named = frontOf(points).map(({ name }, i) => `${i + 1}: ${escapeHtml(name)}`);
  const page = htmlPage(
    title,
    `<p>Seeds ${seeds.join(', ')}; ${Math.round(seconds)} s in the last command.</p>${drawn}<p>${named.join('; ')}.</p>` +
      htmlTable(
        columns,
        rows.map((row) => row.map(escapeHtml)),
      ) +
      `<p class="note">${escapeHtml(explained)}</p>`,
  );
  return { numbers: comparison, page, table: `${formatTable(columns, rows)}\n\n${explained}` };
}
