import { htmlTable } from '../charts/html.js';
import { markdownTable } from '../charts/markdown.js';
import { formatTable } from '../command-line/table.js';
import { type Effect, effectOf, mean, overRuns } from '../paper/measures/effect.js';
import type { PaperMeasures } from '../paper/measures/measure-model.js';

/** The models of a demo, in the order of their table. */
export const DEMO_MODELS = ['base', 'damaged', 'control', 'repaired'] as const;
export type DemoModel = (typeof DEMO_MODELS)[number];

const TITLES: Record<DemoModel, string> = {
  base: 'before the synthetic text',
  damaged: 'damaged by it',
  control: 'replay alone',
  repaired: 'repaired',
};

/** Measures of a model, and of its fine-tuning runs. */
export interface DemoMeasures {
  own: PaperMeasures;
  chats: PaperMeasures[];
}

/** What the demo measured of instruction following and of taught facts, in points; effects with 95% intervals over items. */
export interface Following {
  models: Record<DemoModel, { hsr: number; ssr: number; leak: number; knows: number }>;
  /** HSR that the synthetic text cost, and that the repair gave back, beside the damaged model and beside replay alone. */
  lost: Effect;
  gained: Effect;
  gainedBesideControl: Effect;
  /** Taught facts that the repair cost. */
  forgotten: Effect;
}

/** Each item as a value of its own: one model says nothing of other seeds. */
const overItems = (values: readonly number[], name: string): Effect =>
  effectOf(
    values.map((x) => [100 * x]),
    `demo ${name}`,
  );

/** Reads off the measures; fine-tuning runs of a model are averaged item by item. */
export function followingOf(
  measures: Record<DemoModel, DemoMeasures>,
  byFact: (measures: PaperMeasures) => readonly number[],
): Following {
  const chat = (model: DemoModel, pick: (measures: PaperMeasures) => readonly number[]): number[] =>
    overRuns(measures[model].chats.map((run) => [...pick(run)]));
  const hsr = (model: DemoModel): number[] => chat(model, (run) => run.hsr!);
  const percent = (values: readonly number[]): number => 100 * mean(values);
  const models = Object.fromEntries(
    DEMO_MODELS.map((model) => [
      model,
      {
        hsr: percent(hsr(model)),
        ssr: percent(chat(model, ({ ssr }) => ssr!)),
        leak: percent(chat(model, ({ leak }) => leak)),
        knows: percent(byFact(measures[model].own)),
      },
    ]),
  ) as Following['models'];
  const knows = (model: DemoModel): readonly number[] => byFact(measures[model].own);
  const less = (a: DemoModel, b: DemoModel, values: (model: DemoModel) => readonly number[] = hsr): Effect => {
    const other = values(b);
    return overItems(
      values(a).map((x, i) => x - other[i]),
      `${a} less ${b}`,
    );
  };
  return {
    models,
    lost: less('base', 'damaged'),
    gained: less('repaired', 'damaged'),
    gainedBesideControl: less('repaired', 'control'),
    forgotten: less('damaged', 'repaired', knows),
  };
}

const points = ({ effect, low, high }: Effect): string =>
  `${effect.toFixed(1)} [${low.toFixed(1)}, ${high.toFixed(1)}]`;

/** The effect in plain words. */
export function followingSentence({ models, lost, gained, gainedBesideControl, forgotten }: Following): string {
  if (DEMO_MODELS.every((model) => models[model].hsr === 0))
    return 'No model follows any instruction: too little training to tell what comes back.';
  return (
    `Of 100 instructions, the model follows ${points(lost)} fewer after the synthetic text; the repair gives back ${points(gained)}, ` +
    `${points(gainedBesideControl)} more than replay alone. Of 100 facts that the text taught, the repair cost ${points(forgotten)}.`
  );
}

const HEADER = [
  'model',
  'instructions followed %',
  'demands met %',
  'answers in the template %',
  'taught facts known %',
];
const NOTE =
  'Instructions that rules check, answered by fine-tuning runs of each model; followed: every demand is met (HSR; demands met: SSR). ' +
  'Facts: of four meanings the likeliest, chance is 25. Brackets are 95% intervals over instructions and facts, of this one model; lethe paper has five.';

const rowsOf = ({ models }: Following): string[][] =>
  DEMO_MODELS.map((model) => {
    const { hsr, ssr, leak, knows } = models[model];
    return [TITLES[model], ...[hsr, ssr, leak, knows].map((x) => x.toFixed(1))];
  });

/** For a terminal. */
export const followingTable = (following: Following): string => formatTable(HEADER, rowsOf(following));

/** For the repair's page. */
export const followingHtml = (following: Following): string =>
  `<h2>Does it follow instructions again?</h2><p><b>${followingSentence(following)}</b></p>${htmlTable(HEADER, rowsOf(following))}` +
  `<p class="note">${NOTE}</p>`;

/** The same as Markdown. */
export const followingMarkdown = (following: Following): string =>
  `## Does it follow instructions again?\n\n**${followingSentence(following)}**\n\n${markdownTable(HEADER, rowsOf(following))}\n\n${NOTE}`;
