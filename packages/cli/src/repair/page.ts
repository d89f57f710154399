import { escapeHtml, htmlPage, htmlTable } from '../charts/html.js';
import { densitySvg } from '../charts/density-svg.js';
import { legend } from '../charts/axes.js';
import { lineSvg } from '../charts/line-svg.js';
import {
  ANSWER_HEADER,
  answerRows,
  benchmarkTables,
  candidateHeader,
  candidateRows,
  EVIDENCE_HEADER,
  evidenceRows,
  factLines,
  HELD_OUT_HEADER,
  heldOutRows,
  MIXTURE_HEADER,
  mixtureRows,
  phaseRows,
  pieceText,
} from './page-tables.js';
import { candidatesSvg } from './candidates-svg.js';
import type { ShownToken } from './examples.js';
import { figureSections, type TextFigures } from './figures.js';
import { heatMap } from './heat-map.js';
import type { ModelMeasures } from './measure.js';
import { mixtureText } from './mixture.js';
import type { RepairResults, TriedPoint } from './results.js';
import { headline, relapseText, sentence } from './verdict-text.js';

/** What the page shows beside `repair.json`. */
export interface PageParts {
  examples: ShownToken[][];
  models: { start: ModelMeasures; end?: ModelMeasures; control?: ModelMeasures };
  figures: TextFigures;
  /** More that was measured, behind the first table, as HTML and as Markdown. */
  more?: { html: string; markdown: string };
}

const NAMES = { start: 'before', end: 'repaired', control: 'replay alone' } as const;

/** Characters of a cell that is wrapped. */
const LONG_CELL = 40;

const STYLE = `<style>
  .answer { font-size: 1.15rem; border-left: .3rem solid currentColor; padding: .2rem 0 .2rem 1rem; }
  .heat { line-height: 2; white-space: pre-wrap; overflow-wrap: anywhere; font-family: ui-monospace, monospace; font-size: .85rem; }
  .heat mark { color: inherit; background: rgb(213 94 0 / var(--p)); border-bottom: 2px solid #d55e00; border-radius: 2px; }
  .pieces code { background: #8882; padding: .1rem .3rem; white-space: pre-wrap; overflow-wrap: anywhere; }
  .table th:first-child { position: sticky; left: 0; background: Canvas; white-space: normal; min-width: 9rem; }
</style>`;

const section = (title: string, body: string): string => (body === '' ? '' : `<h2>${title}</h2>${body}`);
/** A cell; a long one breaks its lines. */
const wrapped = (cell: string): string =>
  cell.length > LONG_CELL ? `<span class="text">${escapeHtml(cell)}</span>` : escapeHtml(cell);
const table = (header: string[], rows: string[][]): string =>
  rows.length === 0
    ? ''
    : htmlTable(
        header,
        rows.map((row) => row.map(wrapped)),
      );

/** The page of a repair: what it says first, then what it says that from. It needs no other file and no network. */
export function repairPage(results: RepairResults, parts: PageParts): string {
  const { before, after } = results;
  const body = [
    STYLE,
    `<p class="answer">${escapeHtml(sentence(results))}</p>`,
    after.verdict === 'not-run' ? '' : `<p>Next: ${escapeHtml(after.advice)}.</p>`,
    table(HELD_OUT_HEADER, heldOutRows(results)),
    parts.more?.html ?? '',
    section('The pattern', pattern(results, parts)),
    section('Answers side by side', table(ANSWER_HEADER, answerRows(results))),
    section('Before: is a repair due?', table(EVIDENCE_HEADER, evidenceRows(before.evidence))),
    section('After: did it work?', table(EVIDENCE_HEADER, evidenceRows(after.evidence))),
    section('Settings that were tried', candidates(results)),
    section('If it is trained on', relapse(results)),
    section('Benchmarks', benchmarks(results)),
    section('Perplexities of documents, before and after', densities(parts)),
    figureSections(parts.figures),
    section('How it was made', made(results)),
  ];
  return htmlPage(headline(results), body.join('\n'));
}

/** Which files hold documents without the pattern; nothing where the text is one file of one kind. */
function mixture({ mixture: found, verdict }: RepairResults['before']): string {
  const text = verdict === 'not-advised' ? undefined : mixtureText(found);
  return `${text ? `<p><b>${escapeHtml(text)}.</b></p>` : ''}${table(MIXTURE_HEADER, mixtureRows(found))}`;
}

function pattern({ before }: RepairResults, { examples, models }: PageParts): string {
  const { pieces, documents, threshold } = before.pattern;
  const items = pieces.map(
    (piece) => `<li><code>${escapeHtml(pieceText(piece))}</code> in ${piece.documents} of ${documents} documents</li>`,
  );
  const list =
    items.length === 0
      ? '<p>No words that many synthetic documents share, and natural text lacks.</p>'
      : `<p>Words that at least ${threshold} synthetic documents share and that natural text does not explain:</p><ul class="pieces">${items.join('')}</ul>`;
  const maps = examples.map((tokens, i) => {
    const of = (name: keyof PageParts['models']): string =>
      models[name] ? `<h4>${NAMES[name]}</h4>${heatMap(tokens, models[name].examples[i])}` : '';
    return `<h3>Held-out document ${i + 1}</h3>${of('start')}${of('end')}`;
  });
  const note =
    '<p class="note">Underlined: the pattern. The darker, the more probable the model finds the word, and the harder unlearning pushes it.</p>';
  return `${list}${mixture(before)}${maps.length > 0 ? note : ''}${maps.join('')}`;
}

function candidates({ choice }: RepairResults): string {
  if (!choice) return '';
  const series = choice.tried.map(({ name, path }) => ({ name, path }));
  // Replay alone, once for each learning rate.
  const rates = new Map(choice.tried.map(({ lr, path }) => [lr, path]));
  for (const [lr, path] of rates)
    series.push({
      name: `replay alone, ${lr}`,
      path: path.map(({ steps, control }) => ({ steps, patternP: control, control, price: 1, kept: 1 })),
    });
  const curves = (pick: (point: TriedPoint) => number) =>
    series.map(({ name, path }) => ({ name, steps: path.map(({ steps }) => steps), values: path.map(pick) }));
  return (
    `<p>Each was tried for a few steps beside replay alone (training on natural text only), on text that is not reported. Chosen: ` +
    `<b>${escapeHtml(choice.chosen)}</b>; it ${escapeHtml(choice.why)}.</p>` +
    legend(series.map(({ name }) => name)) +
    candidatesSvg(choice) +
    table(candidateHeader(choice), candidateRows(choice)) +
    choice.failed.map(({ name, why }) => `<p>${escapeHtml(name)} failed: ${escapeHtml(why)}</p>`).join('') +
    `<div class="figures"><div><h3>Probability of the pattern</h3>${lineSvg(
      curves(({ patternP }) => patternP),
      'probability of the pattern',
    )}</div><div><h3>Natural perplexity against replay alone, %</h3>${lineSvg(
      curves(({ price }) => 100 * (price - 1)),
      'natural perplexity against replay alone, %',
    )}</div></div>`
  );
}

const benchmarks = (results: RepairResults): string =>
  benchmarkTables(results)
    .map(({ text, header, rows }) => `<p>${escapeHtml(text)}</p>${table(header, rows)}`)
    .join('');

function relapse({ relapse: found }: RepairResults): string {
  if (!found) return '';
  const { repaired, base } = found;
  const series = Object.entries({ repaired, ...(base && { 'the base, which never saw the pattern': base }) }).map(
    ([name, { path }]) => ({
      name,
      steps: path.map(({ step }) => step),
      values: path.map(({ patternP }) => patternP),
    }),
  );
  return (
    `<p>${escapeHtml(relapseText(found))}</p>${legend(series.map(({ name }) => name))}` +
    lineSvg(series, 'probability of the pattern in further training')
  );
}

function densities({ models }: PageParts): string {
  const present = (Object.keys(NAMES) as (keyof typeof NAMES)[]).filter((name) => models[name]);
  const kinds = { natural: 'Natural documents', syntheticLoss: 'Synthetic documents' } as const;
  const figures = (Object.keys(kinds) as (keyof typeof kinds)[]).map((kind) => {
    const series = present.map((name) => ({
      name: NAMES[name],
      values: models[name]![kind].map(([sum, count]) => sum / count),
    }));
    return `<div><h3>${kinds[kind]}</h3>${densitySvg(series, 'log-perplexity of a document, nats per token')}</div>`;
  });
  return `${legend(present.map((name) => NAMES[name]))}<div class="figures">${figures.join('')}</div>`;
}

function made(results: RepairResults): string {
  const facts = factLines(results).map((fact) => `<li>${escapeHtml(fact)}</li>`);
  return `<ul>${facts.join('')}</ul>${table(['phase', 'seconds'], phaseRows(results))}`;
}
