import { escapeHtml, htmlPage, htmlTable } from '../charts/html.js';
import { formatTable } from '../command-line/table.js';
import type { Effect } from './effect.js';
import type { MethodResult } from './methods.js';

/** What `methods.json` holds. */
export interface MethodsResults {
  methods: MethodResult[];
  seeds: number[];
  seconds: number;
}

const HEADER = [
  'method',
  'weight',
  'reached',
  'steps',
  'leak %',
  'HSR gained',
  'knowledge lost',
  'nats of natural text',
];

const interval = ({ effect, low, high }: Effect, digits: number): string =>
  `${effect.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;

const rowsOf = ({ methods, seeds }: MethodsResults): string[][] =>
  methods.map(({ method, weight, reached, steps, leak, repair, lost, price, onFront }) => [
    `${method}${onFront ? ' *' : ''}`,
    String(weight),
    `${reached} of ${seeds.length}`,
    steps.toFixed(0),
    leak.toFixed(1),
    interval(repair, 1),
    interval(lost, 1),
    interval(price, 3),
  ]);

const EXPLAINED =
  'All forget the template\u2019s tokens beside replay, with one learning rate, and end when the mean probability of these tokens in ' +
  'held-out synthetic text has fallen to the goal, or after the last step. HSR gained and natural text: against replay alone for as ' +
  'many steps as any of them may take. Knowledge lost: of the benchmark that the synthetic text taught. Points, 95% intervals over seeds and ' +
  'items. *: no method that reached the goal in every seed gains more and loses less.';

/** The methods, for a terminal. */
export const methodsTable = (results: MethodsResults): string =>
  `${formatTable(HEADER, rowsOf(results))}\n\n${EXPLAINED}`;

/** One page: every method at equal forgetting. */
export const methodsPage = (results: MethodsResults): string =>
  htmlPage(
    'Forgetting methods at equal forgetting',
    `<p>Seeds ${results.seeds.join(', ')}; ${Math.round(results.seconds)} s.</p>` +
      htmlTable(
        HEADER,
        rowsOf(results).map((row) => row.map(escapeHtml)),
      ) +
      `<p class="note">${escapeHtml(EXPLAINED)}</p>`,
  );
