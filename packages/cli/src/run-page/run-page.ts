import { stringify } from 'yaml';
import { EVALUATION_HEADER, evaluationRows } from '@lethe/eval';
import { differingKeys, leavesOf } from '@lethe/train';
import { legend } from '../charts/axes.js';
import { escapeHtml, htmlPage, htmlTable } from '../charts/html.js';
import { lineSvg } from '../charts/line-svg.js';
import { escapeMarkdown, markdownList, markdownPage, markdownTable } from '../charts/markdown.js';
import { curvesOf } from './curves.js';
import type { ReportedRun } from './read-runs.js';
import { measureRows, RUN_HEADER, runRow } from './summary.js';
import { warningsOf } from './warnings.js';

/** The report of some runs: one page that opens without a network. */
export function runPage(runs: readonly ReportedRun[]): string {
  const sections = [
    section('Runs', table(RUN_HEADER, runs.map(runRow)) + warnings(runs)),
    section('Measures', measures(runs)),
    section('Curves', curves(runs)),
    section('What differs', table(differenceHeader(runs), differenceRows(runs))),
    section('Evaluations', table(EVALUATIONS, evaluationsOf(runs))),
    section('Recipes', recipes(runs)),
    section('Data', table(DATA_HEADER, dataRows(runs))),
    section('Made with', table(VERSIONS_HEADER, versionRows(runs))),
  ];
  return htmlPage(titleOf(runs), sections.join('\n'));
}

const section = (title: string, body: string): string => (body === '' ? '' : `<h2>${title}</h2>${body}`);

const table = (header: string[], rows: string[][]): string =>
  rows.length === 0
    ? ''
    : htmlTable(
        header.map(escapeHtml),
        rows.map((row) => row.map(escapeHtml)),
      );

/** The same as Markdown: everything but the curves, which are in the page. */
export const runMarkdown = (runs: readonly ReportedRun[]): string =>
  markdownPage(titleOf(runs), [
    ['Runs', `${markdownTable(RUN_HEADER, runs.map(runRow))}\n\n${markdownList(warningLines(runs))}`],
    ['Measures', markdownTable(measureHeader(runs), measureRows(runs))],
    ['What differs', markdownTable(differenceHeader(runs), differenceRows(runs))],
    ['Evaluations', markdownTable(EVALUATIONS, evaluationsOf(runs))],
    [
      'Recipes',
      runs.map(({ name, recipe }) => `${escapeMarkdown(name)}\n\n${indented(stringify(recipe))}`).join('\n\n'),
    ],
    ['Data', markdownTable(DATA_HEADER, dataRows(runs))],
    ['Made with', markdownTable(VERSIONS_HEADER, versionRows(runs))],
  ]);

const indented = (text: string): string => text.trimEnd().replaceAll(/^/gm, '    ');
const titleOf = (runs: readonly ReportedRun[]): string =>
  runs.length === 1 ? `Lethe: ${runs[0].name}` : `Lethe: ${runs.length} runs`;
const warningLines = (runs: readonly ReportedRun[]): string[] =>
  runs.flatMap((run) => warningsOf(run).map((text) => `${run.name}: ${text}`));
const measureHeader = (runs: readonly ReportedRun[]): string[] => ['measure', ...runs.map(({ name }) => name)];
const differenceHeader = (runs: readonly ReportedRun[]): string[] => ['key', ...runs.map(({ name }) => name)];
const EVALUATIONS = ['run', ...EVALUATION_HEADER];
const DATA_HEADER = ['run', 'role', 'shards', 'documents', 'tokens', 'SHA-256 of the index'];
const VERSIONS_HEADER = ['run', 'started (UTC)', 'ended', 'commit', 'versions', 'processor'];

function warnings(runs: readonly ReportedRun[]): string {
  const items = runs.flatMap((run) =>
    warningsOf(run).map((text) => `<li><b class="not">${escapeHtml(run.name)}</b>: ${escapeHtml(text)}</li>`),
  );
  return items.length === 0 ? '' : `<ul>${items.join('')}</ul>`;
}

function measures(runs: readonly ReportedRun[]): string {
  const rows = measureRows(runs);
  if (rows.length === 0) return '<p class="note">no step has been recorded yet</p>';
  const note = '<p class="note">The first record, and the mean over the last tenth of them.</p>';
  return table(measureHeader(runs), rows) + note;
}

function curves(runs: readonly ReportedRun[]): string {
  const figures = curvesOf(runs).map(
    ({ key, title, series }) =>
      `<div><h3 id="${escapeHtml(key)}">${escapeHtml(title)}</h3>${lineSvg(series, title)}</div>`,
  );
  if (figures.length === 0) return '';
  const note =
    '<p class="note">Pale: every record (a hundredth at either end may lie beyond the figure and is drawn at its edge). ' +
    'Bold: means over a fiftieth of the run.</p>';
  return `${runs.length > 1 ? legend(runs.map(({ name }) => name)) : ''}${note}<div class="figures">${figures.join('')}</div>`;
}

/** Where runs are written, which always differs. */
const PLACES = new Set(['name', 'runs']);

function differenceRows(runs: readonly ReportedRun[]): string[][] {
  const leaves = runs.map(({ recipe }) => leavesOf(recipe));
  const keys = differingKeys(leaves).filter((key) => !PLACES.has(key));
  const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
  return keys.map((key) => [key, ...leaves.map((one) => text(one.get(key)))]);
}

const evaluationsOf = (runs: readonly ReportedRun[]): string[][] =>
  runs.flatMap(({ name, evaluations: all }) => all.flatMap(evaluationRows).map((row) => [name, ...row]));

const recipes = (runs: readonly ReportedRun[]): string =>
  runs
    .map(
      ({ name, recipe }) =>
        `<details><summary>${escapeHtml(name)}</summary><pre>${escapeHtml(stringify(recipe))}</pre></details>`,
    )
    .join('');

function dataRows(runs: readonly ReportedRun[]): string[][] {
  return runs.flatMap(({ name, manifest }) =>
    (manifest.data ?? []).map(({ role, shards, documents, tokens, sha256 }) => [
      name,
      role,
      shards,
      documents.toLocaleString('en'),
      tokens.toLocaleString('en'),
      sha256.slice(0, 16),
    ]),
  );
}

function versionRows(runs: readonly ReportedRun[]): string[][] {
  return runs.flatMap(({ name, manifest }) =>
    manifest.launches.map(({ started, outcome, git, versions: of, machine }) => [
      name,
      started.slice(0, 16).replace('T', ' '),
      outcome ?? 'running, or ended by a crash',
      git ? `${git.commit.slice(0, 12)}${git.isDirty ? ' with changes' : ''}` : '',
      Object.entries(of)
        .map(([what, version]) => `${what} ${version}`)
        .join(', '),
      `${machine.cpu}, ${machine.cores} cores`,
    ]),
  );
}
