import { isAbsolute } from 'node:path';
import type { MetricsRecord } from '@lethe/run';
import { stringify } from 'yaml';
import { EVALUATION_HEADER, evaluationRows } from '@lethe/eval';
import { type CardSource, SOURCE_CARD } from './card-source.js';
import { findEvaluations } from './find-evaluations.js';
import type { Lineage, LineageRun } from './lineage.js';

const count = (value: number): string => value.toLocaleString('en');

/** A path as a card shows it: the last names of absolute ones, which say nothing on another machine. */
const shownPath = (path: string): string => (isAbsolute(path) ? path.split(/[/\\]/).slice(-2).join('/') : path);

function table(header: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Each run with what it started from, and the card of what the first one started from. */
export function lineageSection({ runs, origin }: Lineage, source: CardSource): string {
  const { hubName, commit, text } = source;
  const start = hubName ? `[${hubName}](https://huggingface.co/${hubName})${commit ? ` at ${commit}` : ''}` : undefined;
  const first = start ?? (origin === undefined ? 'fresh weights' : shownPath(origin));
  const rows = runs.map(({ recipe, manifest, metrics }, i) => [
    recipe.name,
    recipe.stage,
    i === 0 ? first : runs[i - 1]!.recipe.name,
    `${count(metrics.at(-1)?.step ?? 0)} of ${count(recipe.steps)}`,
    manifest.launches[0]?.started.slice(0, 10) ?? '',
  ]);
  const kept = text === undefined ? [] : [`The card of the source is kept in [${SOURCE_CARD}](${SOURCE_CARD}).`];
  const body = rows.length > 0 ? table(['run', 'stage', 'from', 'steps', 'date'], rows) : `From ${first}.`;
  return ['## Lineage', body, ...kept].join('\n\n');
}

/** The last run's recipe, defaults included. */
export function recipeSection({ recipe }: LineageRun): string {
  const shown: unknown = JSON.parse(JSON.stringify(recipe), (_, value: unknown) =>
    typeof value === 'string' ? shownPath(value) : value,
  );
  return `## Recipe\n\n\`\`\`yaml\n${stringify(shown)}\`\`\``;
}

/** What every run learned from. */
export function dataSection({ runs }: Lineage): string {
  const rows = runs.flatMap(({ recipe, manifest }) =>
    (manifest.data ?? []).map(({ role, shards, documents, tokens, sha256, files, numFiles, datasets }) => {
      const more = numFiles > files.length ? ` and ${count(numFiles - files.length)} more` : '';
      const names = datasets.length > 0 ? datasets.join(', ') : `${files.join(', ')}${more}`;
      return [recipe.name, role, shownPath(shards), names, count(documents), count(tokens), sha256];
    }),
  );
  if (rows.length === 0) return '';
  const header = ['run', 'role', 'shards', 'made from', 'documents', 'tokens', 'SHA-256 of the index'];
  return `## Data\n\n${table(header, rows)}`;
}

const LOSSES = ['loss', 'forgetting', 'replay', 'mitigation'];

/** The first and last losses of every run. */
export function lossSection({ runs }: Lineage): string {
  const rows = runs.flatMap(({ recipe, metrics }) => {
    const [first, last] = [metrics[0], metrics.at(-1)];
    return LOSSES.filter((name) => typeof first?.[name] === 'number').map((name) => [
      recipe.name,
      name,
      ...[first!, last!].map((record) => lossAt(record, name)),
    ]);
  });
  return rows.length === 0 ? '' : `## Losses\n\n${table(['run', 'loss', 'first', 'last'], rows)}`;
}

const lossAt = (record: MetricsRecord, name: string): string =>
  `${Number(record[name]).toPrecision(4)} (step ${count(record.step)})`;

/** Results of `lethe eval` for the last run's model. */
export function evaluationSection(run: LineageRun): string {
  const rows = findEvaluations(run).flatMap(evaluationRows);
  return rows.length === 0 ? '' : `## Evaluation\n\n${table(EVALUATION_HEADER, rows)}`;
}

/** What the last run was made with. */
export function versionSection({ manifest }: LineageRun): string {
  const launch = manifest.launches.at(-1);
  if (!launch) return '';
  const { versions, git, machine } = launch;
  const rows = [
    ...Object.entries(versions),
    ['commit', git ? `${git.commit}${git.isDirty ? ', with changes' : ''}` : 'not known'],
    ['processor', `${machine.cpu}, ${machine.cores} cores`],
    [
      'seeds',
      Object.entries(manifest.seeds)
        .map(([name, seed]) => `${name} ${seed}`)
        .join(', '),
    ],
  ];
  return `## Versions\n\n${table(['what', 'version'], rows)}`;
}
