import type { Score } from '@lethe/eval';
import { legend } from '../charts/axes.js';
import { densitySvg } from '../charts/density-svg.js';
import { escapeHtml, htmlPage, htmlTable } from '../charts/html.js';
import { formatTable } from '../command-line/table.js';
import { TEXT_KINDS } from './measure.js';
import type { DemoResults } from './demo-results.js';
import { CHAT_MODELS, type DemoModel, MODELS } from './stages.js';

const percent = ({ value, low, high }: Score): string =>
  `${(100 * value).toFixed(1)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;

const MEASURES = [
  'model',
  'ppl natural',
  'ppl synthetic',
  'ppl instructions',
  'shift W1',
  'var ratio',
  'template mass',
  'word meanings %',
  'HSR %',
  'SSR %',
];

/** One row a model. The shift is that of instruction text against base. */
function measureRows({ models }: DemoResults): string[][] {
  return ([...MODELS, ...CHAT_MODELS] as DemoModel[]).map((name) => {
    const { perplexity, shiftAgainstBase, templateMass, benchmark, instructions } = models[name];
    const { wasserstein1, varianceRatio } = shiftAgainstBase.instructions;
    const ppl = TEXT_KINDS.map((kind) => perplexity[kind].toFixed(2));
    const shift = name === 'base' ? ['', ''] : [wasserstein1.toFixed(3), varianceRatio.toFixed(2)];
    const chat = instructions ? [percent(instructions.hsr), percent(instructions.ssr)] : ['', ''];
    return [name, ...ppl, ...shift, templateMass.instructions.toFixed(3), percent(benchmark.micro), ...chat];
  });
}

const OUTCOMES = { holds: 'holds here', not: 'does not hold here', unclear: 'unclear here' } as const;

/** The demo's table and what it says of each claim, for a terminal. */
export function demoTable(results: DemoResults): string {
  const found = results.verdicts.map(({ claim, outcome, detail }) => `${OUTCOMES[outcome]}: ${claim}\n    ${detail}`);
  return `${formatTable(MEASURES, measureRows(results))}\n\n${found.join('\n')}`;
}

function densities({ models }: DemoResults): string {
  const figures = TEXT_KINDS.map((kind) => {
    const series = MODELS.map((name) => ({ name, values: models[name].logPerplexities[kind] }));
    return `<h3>${kind} text</h3>${densitySvg(series, 'log-perplexity of a document, nats per token')}`;
  });
  return `${legend(MODELS)}${figures.join('')}`;
}

function shiftTable({ models }: DemoResults): string {
  const rows = MODELS.slice(1).flatMap((name) =>
    TEXT_KINDS.map((kind) => {
      const { meanDifference, varianceRatio, wasserstein1, ks } = models[name].shiftAgainstBase[kind];
      return [`${name}, ${kind}`, ...[meanDifference, varianceRatio, wasserstein1, ks].map((x) => x.toFixed(3))];
    }),
  );
  return htmlTable(['model, text', 'mean difference', 'variance ratio', 'Wasserstein-1', 'KS'], rows);
}

function samples({ models }: DemoResults): string {
  const one = (name: DemoModel): string => {
    const judged = models[name].instructions!.judged.slice(0, 5);
    const lines = judged.map(
      ({ prompt, response, satisfied }) =>
        `${prompt}\n  > ${response}\n  constraints met: ${satisfied.filter(Boolean).length} of ${satisfied.length}`,
    );
    return `<details><summary>${name}</summary><pre>${escapeHtml(lines.join('\n\n'))}</pre></details>`;
  };
  return CHAT_MODELS.map(one).join('');
}

/** The demo's report: one page that opens without a network. */
export function demoReport(results: DemoResults): string {
  const { settings, seconds, machine, versions, git, numDocuments, templateTokens } = results;
  const found = results.verdicts.map(
    ({ claim, outcome, detail }) =>
      `<li><b class="${outcome}">${OUTCOMES[outcome]}</b>: ${escapeHtml(claim)}<br><span class="note">${escapeHtml(detail)}</span></li>`,
  );
  const documents = Object.entries(numDocuments)
    .map(([kind, n]) => `${n} ${kind}`)
    .join(', ');
  const where = `${machine.cpu}, ${machine.cores} cores; lethe ${versions.lethe}${git ? `, commit ${git.commit.slice(0, 12)}${git.isDirty ? ' with changes' : ''}` : ''}`;
  return htmlPage(
    `Lethe demo${settings.name === 'demo' ? '' : `: ${settings.name}`}`,
    `<p>One small model, damaged by templated questions and repaired: ${settings.steps.pretrain} + ${settings.steps.synth} steps of training, ` +
      `${settings.steps.unlearn} of unlearning. Measured on held-out documents (${documents}). ${Math.round(seconds)} s on ${escapeHtml(where)}. ` +
      'The synthetic text is templated by program from WordNet, not written by a language model. Brackets are 95% intervals.</p>' +
      `<h2>What the numbers say</h2><ul>${found.join('')}</ul>` +
      `<h2>Measures</h2>${htmlTable(MEASURES, measureRows(results))}<p class="note">Shift and variance ratio: log-perplexities of instruction text against base. ` +
      `Template mass: mean probability on ${templateTokens.length} template tokens in instruction text.</p>` +
      `<h2>Densities of log-perplexity</h2>${densities(results)}<h2>Shift against base</h2>${shiftTable(results)}` +
      `<h2>Responses of the -chat models</h2>${samples(results)}` +
      `<h2>Template tokens</h2><pre>${escapeHtml(templateTokens.map(({ text }) => JSON.stringify(text)).join(' '))}</pre>` +
      `<h2>Settings</h2><pre>${escapeHtml(JSON.stringify(settings, null, 1))}</pre>`,
  );
}
