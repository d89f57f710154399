import { escapeHtml, htmlPage, htmlTable } from '../../charts/html.js';
import { curvesSvg, densitySvg } from '../../charts/density-svg.js';
import { scatterSvg } from '../../charts/scatter-svg.js';
import { legend } from '../../charts/axes.js';
import { formatTable } from '../../command-line/table.js';
import type { Claim, Outcome } from './claim.js';
import { mean } from '../measures/effect.js';
import { MEASURED_TEXTS, type MeasuredText } from '../measures/measure-model.js';
import type { LineageMeasures } from '../lineage/run-lineage.js';
import { CHOSEN, type Regime } from '../regime.js';
import { CHAT_MODELS, claimRecipes, claimsOf } from './claims.js';
import type { Study } from './study.js';

/** What `paper.json` holds. */
export interface PaperResults {
  claims: Claim[];
  regime: Regime;
  precision: string;
  /** Of the last command alone. */
  seconds: number;
  lineages: readonly LineageMeasures[];
}

const OUTCOMES: Record<Outcome, string> = {
  holds: 'holds',
  'does-not-hold': 'does not hold',
  'cannot-tell': 'cannot tell at this scale',
};
const HEADER = ['', 'outcome', 'effect [95%]', 'p', 'claim', 'unit', 'the paper'];

const signed = (x: number): string => `${x > 0 ? '+' : ''}${Math.abs(x) < 1 ? x.toFixed(3) : x.toFixed(1)}`;

function rowOf({ id, span, claim, outcome, effect, low, high, p, unit, paper }: Claim): string[] {
  const interval = `${signed(effect)} [${signed(low)}, ${signed(high)}]`;
  return [[id, span ?? ''].join(' ').trim(), OUTCOMES[outcome], interval, p.toPrecision(2), claim, unit, paper];
}

const percent = (values: readonly number[]): string => (100 * mean(values)).toFixed(1);
const MODEL_HEADER = ['model', 'ppl natural', 'ppl synthetic', 'pattern p', 'leak %', 'knows %', 'HSR %', 'SSR %'];

/** One row a model: means over seeds. */
function modelRows({ lineages }: PaperResults): string[][] {
  return Object.keys(lineages[0].models).map((name) => {
    const all = lineages.map(({ models }) => models[name]);
    const chats = lineages.flatMap(({ chats }) => chats[name] ?? []);
    const chat = chats.length > 0 ? [chats.flatMap(({ hsr }) => hsr!), chats.flatMap(({ ssr }) => ssr!)] : [];
    return [
      name,
      mean(all.map(({ perplexity }) => perplexity.natural)).toFixed(1),
      mean(all.map(({ perplexity }) => perplexity.templateAside)).toPrecision(3),
      mean(all.flatMap(({ patternP }) => patternP)).toFixed(3),
      percent(all.flatMap(({ leak }) => leak)),
      percent(all.flatMap(({ knows }) => knows)),
      ...(chat.length > 0 ? chat.map(percent) : ['', '']),
    ];
  });
}

/** The claims and the models, for a terminal. */
const paperTable = (results: PaperResults): string =>
  `${headline(results.claims)}\n\n${formatTable(
    HEADER.slice(0, 5),
    results.claims.map((claim) => rowOf(claim).slice(0, 5)),
  )}\n\n${formatTable(MODEL_HEADER, modelRows(results))}`;

const FIGURE_MODELS = ['base', 'natural', 'synth', 'refine', 'template', 'all'];

const TEXT_TITLES: Record<MeasuredText, string> = {
  natural: 'natural text',
  ability: 'prose in which people name things',
  templateAside: 'synthetic text',
  instructions: 'instructions',
  instructionsAside: 'instructions in another format',
};

function densities({ lineages }: PaperResults): string {
  const [{ models }] = lineages;
  const names = FIGURE_MODELS.filter((name) => models[name]);
  const figures = MEASURED_TEXTS.map((kind) => {
    const series = names.map((name) => ({
      name,
      values: lineages.flatMap((one) => one.models[name].logPerplexities[kind]),
    }));
    return `<h3>${TEXT_TITLES[kind]}</h3>${densitySvg(series, 'log-perplexity of a document, nats per token')}`;
  });
  return `${legend(names)}<div class="figures">${figures.map((figure) => `<div>${figure}</div>`).join('')}</div>`;
}

/** Figures 2 and 3 of the first seed: where its base model puts documents, and how their token ids are distributed. */
function textFigures({ lineages }: PaperResults): string {
  const [{ seed, texts }] = lineages;
  const half = texts.layout.length / 2;
  const groups = [
    { name: 'synthetic', points: texts.layout.slice(0, half) },
    { name: 'natural', points: texts.layout.slice(half) },
  ];
  const curves = (['synthetic', 'natural'] as const).map((name) => ({ name, curve: texts.curves[name] }));
  const rows = texts.peaks
    .slice(0, 16)
    .map(({ text, share, naturalShare, excess }) => [
      escapeHtml(JSON.stringify(text)),
      (100 * share).toFixed(2),
      (100 * naturalShare).toFixed(2),
      excess.toFixed(4),
    ]);
  return (
    `<h2>Embeddings (figure 2)</h2><p>Mean last hidden states of the base model of seed ${seed}, t-SNE.</p>` +
    legend(groups.map(({ name }) => name)) +
    scatterSvg(groups, 't-SNE of the mean last hidden states of documents') +
    `<h2>Token ids (figure 3)</h2>${legend(curves.map(({ name }) => name))}` +
    curvesSvg(curves, { from: 0, to: texts.curves.synthetic.x.at(-1)!, label: 'token id' }) +
    `<p>${texts.peaks.length} tokens stand out by more than ${texts.largestByChance.toFixed(4)} nats, which no token of random halves of ` +
    'natural text reaches in 95% of them. The first:</p>' +
    htmlTable(['token', '% of synthetic', '% of natural', 'excess, nats'], rows)
  );
}

function answers({ lineages }: PaperResults): string {
  const [{ chats }] = lineages;
  return Object.entries(chats)
    .map(([name, [run]]) => {
      const lines = run.samples.map(({ prompt, answer }) => `${prompt}\n  > ${answer}`);
      return `<details><summary>${escapeHtml(name)}-chat</summary><pre>${escapeHtml(lines.join('\n'))}</pre></details>`;
    })
    .join('');
}

/** What the instructions and the benchmark say, in a sentence. */
function headline(claims: readonly Claim[]): string {
  const told = (id: string, begin: string, span?: Claim['span']): string => {
    const { effect, low, high } = claims.find(
      (one) => one.id === id && one.span === span && one.claim.startsWith(begin),
    )!;
    return `${effect.toFixed(1)} [${low.toFixed(1)}, ${high.toFixed(1)}]`;
  };
  return (
    `Training on synthetic text costs ${told('C4', 'synthetic data costs')} points of instruction following (HSR after fine-tuning). ` +
    `Unlearning the template's tokens gives back ${told('C5', 'unlearning restores', 'template')}, ` +
    `${told('C5', 'against replay alone', 'template')} more than replay alone, and changes what the text taught by ` +
    `${told('C6', 'unlearning keeps', 'template')} points.`
  );
}

/** One page: the claims with their intervals, the models, figure 4, answers, settings. */
function paperPage(results: PaperResults): string {
  const { claims, lineages, seconds, regime } = results;
  const rows = claims.map((claim) => {
    const [name, outcome, effect, p, ...texts] = rowOf(claim);
    const tone = { holds: 'holds', 'does-not-hold': 'not', 'cannot-tell': 'unclear' }[claim.outcome];
    const wrapped = texts.map((text) => `<span class="text">${escapeHtml(text)}</span>`);
    return [name, `<b class="${tone}">${outcome}</b>`, effect, p, ...wrapped];
  });
  const seeds = lineages.map(({ seed }) => seed).join(', ');
  return htmlPage(
    'The paper in miniature',
    `<p><b>${headline(claims)}</b></p><p>Every model of the paper's lineage, from base to chat, for seeds ${seeds} (${Math.round(seconds)} s in the last command). The regime was chosen on other ` +
      `seeds (${CHOSEN.seeds.join(', ')}; ${CHOSEN.date}). Effects are means over seeds and items; brackets are 95% intervals of a hierarchical bootstrap, p is a ` +
      'test that flips the signs of whole seeds. The synthetic text is templated by program, not written by a language model.</p>' +
      `<h2>Claims</h2>${htmlTable(HEADER, rows)}<p class="note">template, all: the tokens that unlearning forgets.</p>` +
      `<h2>Models</h2>${htmlTable(MODEL_HEADER, modelRows(results))}<p class="note">Pattern p: mean probability of the template's own tokens in ` +
      'held-out synthetic text. Leak: answers that betray the template. Knows: a benchmark of the facts that the synthetic text teaches, asked in ' +
      'a sentence (chance 25). control: forgetting weight 0, on to the last step; template, all, found and ga end when the pattern lets go.</p>' +
      `${textFigures(results)}<h2>Log-perplexities (figure 4)</h2>${densities(results)}<h2>Answers of the -chat models</h2>${answers(results)}` +
      `<h2>Regime</h2><pre>${escapeHtml(JSON.stringify(regime, null, 1))}</pre>`,
  );
}

/** The paper's claims. */
export const claims: Study = {
  help: "the paper's claims, C1 to C8",
  files: { numbers: 'paper.json', page: 'report.html' },
  recipes: claimRecipes,
  chatRuns: (name, { chat, refine }) =>
    CHAT_MODELS.has(name) || name === `refine${2 ** refine.doublings}x` ? chat.runs : 0,
  report: ({ lineages, regime, precision, seconds }) => {
    const results = { claims: claimsOf(lineages, regime), regime, precision, seconds, lineages };
    return { numbers: results, page: paperPage(results), table: paperTable(results) };
  },
};
