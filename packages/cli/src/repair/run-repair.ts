import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { hasChatTemplate, requireTaskFiles } from '@lethe/eval';
import { checkpointFolder, loadTokenizer, type Tokenizer } from '@lethe/data-pipeline';
import { type LlamaConfig, readConfig } from '@lethe/model';
import {
  lockWithin,
  type Logger,
  type StopRequest,
  type StopSignal,
  UserError,
  whileLocked,
  writeFileAtomically,
  writeFolderAtomically,
} from '@lethe/run';
import { applyDeviceSettings } from '@lethe/tensor';
import { checkStage, digestStart } from '@lethe/train';
import { benchmarkEvidence, readBenchmarks, type ScoredBenchmarks } from './benchmarks.js';
import { goalOf, mayGoOn } from './choose.js';
import { chooseSettings } from './probe.js';
import {
  attainableP,
  markDocuments,
  measureModel,
  type MeasuredTexts,
  type ModelMeasures,
  readHeldOut,
  knowsContent,
  saysSomething,
} from './measure.js';
import { usableMemory } from './memory.js';
import { mixtureOf, mixtureText, shareOfFiles } from './mixture.js';
import { describePattern, findPattern, type FoundPattern, patternSample } from './pattern.js';
import { type ChosenParts, maskedParts } from './masked-parts.js';
import { hasRoomForOriginal, removeOriginalCache } from './original-cache.js';
import { planRepair, rowLengthOf } from './plan.js';
import { Phases } from './phase.js';
import { repairData, type RepairData } from './repair-data.js';
import { candidateNamed, type RepairSetup } from './repair-recipe.js';
import { chooseByAsking } from './ask-settings.js';
import { divideInstructions, type InstructionParts, wholeInstructions } from './instruction-parts.js';
import { controlName, replayAlone, unlearn, unlearnName } from './unlearn.js';
import type { RepairRequest } from './repair-request.js';
import { takeFolder } from './take-folder.js';
import { finetuneRecipe, foldersToAsk } from './fine-tune.js';
import { type Found, resultsOf } from './make-results.js';
import { shownTokens } from './examples.js';
import { textFigures, type TextFigures } from './figures.js';
import { type PageParts, repairPage } from './page.js';
import { repairMarkdown } from './page-markdown.js';
import type { Candidate, Choice, Mixture, Relapse, RepairResults } from './results.js';
import { reachAfter, reachBefore } from './reach-phases.js';
import { findRelapse } from './relapse.js';
import { scoreModels } from './score-models.js';
import { isShards } from './sources.js';
import { meanOf, type Share } from './statistics.js';
import { verdictAfter } from './verdict-after.js';
import { verdictBefore } from './verdict-before.js';

/** Whom a repair tells, and who stops it. */
export interface RepairOptions {
  logger: Logger;
  stop: StopRequest;
  /** Aborted with the stop, for what is not a training run. */
  signal: AbortSignal;
  /** More of the page, by measures of the folders of the models; or the signal that stopped it. */
  more?: (models: RepairedModels) => Promise<NonNullable<PageParts['more']> | StopSignal>;
}

/** Folders of what a repair began with and ended with. */
export type RepairedModels = Record<'start' | 'end' | 'control', string>;

/** Documents and tokens of each kind that a model is measured on, at most. */
const [MEASURED_DOCUMENTS, MEASURED_TOKENS] = [400, 131_072];
/** Tokens of a document that the figures take. */
const LONGEST_DRAWN = 256;

/**
 * Diagnoses a model, chooses how to repair it, repairs and verifies it. Every phase leaves its findings in the folder, so
 * that the same request goes on where it stopped and ends with the same weights.
 * @returns the results, or the signal that stopped it.
 * @throws UserError on bad input; LockedError while another process works in the folder.
 */
export function runRepair(request: RepairRequest, options: RepairOptions): Promise<RepairResults | StopSignal> {
  return whileLocked(lockWithin(request.out), () => new Repair(request, options).run());
}

/** What is known once the model has been looked at. */
interface Opened {
  model: string;
  base?: string;
  config: LlamaConfig;
  tokenizer: Tokenizer;
  parts: InstructionParts;
}

/** What was trained: folders of the repaired model and of replay alone. */
type Trained = Candidate & { steps: number; folder: string; control: string };

class Repair {
  private readonly phases: Phases;

  constructor(
    private readonly request: RepairRequest,
    private readonly options: RepairOptions,
  ) {
    this.phases = new Phases(request.out);
  }

  async run(): Promise<RepairResults | StopSignal> {
    const opened = await this.open();
    const data = await this.data(opened);
    if (this.options.stop.requested) return this.options.stop.requested;
    await applyDeviceSettings(this.request);
    const [synthetic, natural] = [await patternSample(data.synthetic.train), await patternSample(data.natural.train)];
    const pattern = findPattern({ synthetic, natural }, opened.tokenizer);
    const texts = await this.texts(data, pattern, opened.config);
    const before = await this.diagnose(opened, pattern, texts);
    const mixed = before.verdict === 'not-advised' ? undefined : mixtureText(before.mixture);
    if (mixed) this.options.logger.warn(mixed);
    if (this.options.stop.requested) return this.options.stop.requested;
    const plan = before.plan;
    const done = { request: this.request, data, before, plan, phases: this.phases.seconds };
    const shown = {
      examples: await shownTokens(texts.report.synthetic, opened.tokenizer),
      figures: await this.figures(opened, data, before.secondsPerToken),
    };
    if (before.verdict !== 'advised' && !this.request.anyway) return this.write(done, shown);
    const asking = { tokenizer: opened.tokenizer, pattern, phases: this.phases, logger: this.options.logger };
    const start = await this.foldersToAsk('before', opened.model);
    if (typeof start === 'string') return start;
    const base = opened.base === undefined ? undefined : await this.foldersToAsk('base', opened.base);
    if (typeof base === 'string') return base;
    const asked = { ...opened, model: start[0], base: base?.[0] };
    const reached = await reachBefore(this.request, asked, texts.report, asking);
    const hasContent = saysSomething(texts.select.synthetic) && before.knowsContent;
    const setup = await this.setup(opened.model, data, {
      pattern,
      plan,
      hasContent,
      base: opened.base,
      isOriginalCached: before.isOriginalCached,
    });
    const byText = await this.choose(setup, before);
    if (typeof byText === 'string') return byText;
    const choosing = { setup, choice: byText, parts: opened.parts };
    const choice = await chooseByAsking(this.request, choosing, { ...this.options, phases: this.phases });
    if (typeof choice === 'string') return choice;
    const trained = await this.unlearn(setup, choice);
    if (typeof trained === 'string') return trained;
    removeOriginalCache(setup.shards);
    const { folder: repaired, control: alone, ...settings } = trained;
    const measured = { start: before.model, repaired, control: alone };
    const end = await this.foldersToAsk(unlearnName(trained), repaired);
    if (typeof end === 'string') return end;
    const control = await this.foldersToAsk(controlName(trained), alone);
    if (typeof control === 'string') return control;
    const folders = { before: start, repaired: end, control, base };
    const benchmarks = await scoreModels(this.request, folders, { ...asking, instructions: opened.parts.report });
    const chosen = choice.tried.find(({ name }) => name === choice.chosen)!;
    const isLimited = !chosen.reachedGoal && !mayGoOn(chosen);
    const after = await this.verify(measured, texts.report, { benchmarks, isLimited });
    const reach = await reachAfter(this.request, reached, { end: end[0], control: control[0] }, asking);
    const relapse = after.verdict === 'not-repaired' ? null : await this.relapse(setup, repaired, choice);
    if (typeof relapse === 'string') return relapse;
    const output = after.verdict === 'repaired' ? await this.keepModel(repaired) : null;
    const more = await this.options.more?.({ start: setup.model, end: repaired, control: alone });
    if (typeof more === 'string') return more;
    const found = { ...done, choice, after, reach, relapse, trained: settings, benchmarks, output };
    return this.write(found, { ...shown, more });
  }

  private async open(): Promise<Opened> {
    const { request } = this;
    const { logger } = this.options;
    // A recipe that cannot be read is told before anything is trained.
    requireTaskFiles(
      readBenchmarks({ recipe: request.eval, instructions: wholeInstructions(request.instructions) }).tasks,
    );
    const model = await checkpointFolder(request.model, logger);
    if (request.finetune) await checkStage(finetuneRecipe(request, { model, name: 'finetune', run: 0 }), logger);
    const base = request.base === undefined ? undefined : await checkpointFolder(request.base, logger);
    const [{ config }, tokenizer] = [readConfig(join(model, 'config.json')), await loadTokenizer(model)];
    if (base !== undefined && (await loadTokenizer(base)).hash !== tokenizer.hash)
      throw new UserError(
        `--base ${request.base}: expected the tokenizer of --model, received another; a base of the same lineage has the same one`,
      );
    if (request.finetune && !hasChatTemplate(tokenizer))
      logger.warn(
        `${request.model} has no chat template: fine-tuned copies are asked as User: .. Assistant: ..; where they learn in another form, give ` +
          'chat_template in the tokenizer_config.json of the model (docs/repair.md)',
      );
    const files = digestStart({ model: { init: model, recompute: false, ...(base && { reference: base }) } })!;
    const another = takeFolder(request, files);
    if (another) logger.info(`${request.out}: what another request found there is made anew (${another})`);
    const parts = divideInstructions(request.instructions, join(request.out, 'instructions'));
    return { model, base, config, tokenizer, parts };
  }

  private data({ tokenizer, config }: Opened): Promise<RepairData> {
    const rowLength = rowLengthOf(config);
    const { out, synthetic, natural } = this.request;
    const { logger, signal } = this.options;
    const of = (kind: 'synthetic' | 'natural', sources: string[]) =>
      repairData({ kind, sources, folder: join(out, 'data', kind) }, { tokenizer, logger, signal, rowLength });
    return this.phases.once('prepare', async () => ({
      synthetic: await of('synthetic', synthetic),
      natural: await of('natural', natural),
    }));
  }

  private async texts(
    data: RepairData,
    { finder }: FoundPattern,
    config: LlamaConfig,
  ): Promise<Record<'select' | 'report', MeasuredTexts>> {
    const limits = { maxLength: rowLengthOf(config), documents: MEASURED_DOCUMENTS, tokens: MEASURED_TOKENS };
    const of = async (part: 'select' | 'report'): Promise<MeasuredTexts> => ({
      synthetic: markDocuments(finder, await readHeldOut(data.synthetic[part], limits)),
      natural: await readHeldOut(data.natural[part], limits),
    });
    return { select: await of('select'), report: await of('report') };
  }

  private diagnose(
    { model, base, config, tokenizer, parts }: Opened,
    found: FoundPattern,
    { select, report }: Record<'select' | 'report', MeasuredTexts>,
  ) {
    return this.phases.once('diagnose', async () => {
      this.options.logger.info(`measuring ${this.request.model} on held-out text`);
      const { pattern, words } = await describePattern(found, report, tokenizer);
      const mixture = await this.mixture(words, found, tokenizer);
      const began = performance.now();
      const own = measureModel(model, report);
      const tokens = [...report.synthetic.map(({ ids }) => ids), ...report.natural].reduce(
        (n, ids) => n + ids.length,
        0,
      );
      const secondsPerToken = (performance.now() - began) / 1000 / tokens;
      const ofBase = base === undefined ? undefined : measureModel(base, report);
      const judged = verdictBefore({ pattern, model: own, attainable: attainableP(report.synthetic), base: ofBase });
      const selected = measureModel(model, select);
      const baseSelected = base === undefined ? undefined : measureModel(base, select);
      const goal = goalOf(meanOf(selected.pattern), baseSelected && meanOf(baseSelected.pattern));
      const { budget } = this.request;
      const limits = { memory: usableMemory(), budget, secondsPerToken, isAsked: parts.choose.length > 0 };
      const plan = planRepair(config, limits);
      return {
        ...judged,
        pattern,
        mixture,
        model: own,
        base: ofBase,
        goal,
        plan,
        secondsPerToken,
        knowsContent: knowsContent(selected.content),
        isOriginalCached: hasRoomForOriginal(config, plan, this.request),
      };
    });
  }

  /** Whether the synthetic text is of more than one kind, and in which files. */
  private async mixture(
    words: Record<'synthetic' | 'natural', Share[]>,
    pattern: FoundPattern,
    tokenizer: Tokenizer,
  ): Promise<Mixture> {
    const found = mixtureOf(words.synthetic, words.natural);
    const { synthetic } = this.request;
    const files = synthetic.some(isShards) ? [] : await shareOfFiles(synthetic, pattern, { ...found, tokenizer });
    return { ...found, files };
  }

  /** What the page draws of the texts. */
  private figures(opened: Opened, data: RepairData, secondsPerToken: number): Promise<TextFigures> {
    return this.phases.once('figures', () => {
      const { logger } = this.options;
      logger.info('embedding documents of both kinds for the page');
      const { model: folder, config } = opened;
      const model = { folder, name: this.request.model, maxLength: Math.min(config.maxPositions, LONGEST_DRAWN) };
      return textFigures(model, data, { secondsPerToken, logger });
    });
  }

  /** The shards with the pattern as their targets, and what all runs share. */
  private async setup(
    model: string,
    data: RepairData,
    given: Pick<RepairSetup, 'plan' | 'base' | 'isOriginalCached'> & { pattern: FoundPattern; hasContent: boolean },
  ): Promise<RepairSetup> {
    const { finder } = given.pattern;
    const { out, device, precision, threads } = this.request;
    const masked = (name: string, mark: (ids: ArrayLike<number>) => Uint8Array): Promise<ChosenParts> =>
      maskedParts(data.synthetic, join(out, 'data', name), mark);
    const shards = {
      natural: data.natural,
      synthetic: data.synthetic,
      pattern: await masked('pattern', (ids) => finder.mark(ids)),
      ...(given.hasContent && { content: await masked('content', (ids) => finder.rest(ids)) }),
    };
    const { base, plan, isOriginalCached } = given;
    return { runs: join(out, 'runs'), model, base, isOriginalCached, shards, plan, device, precision, threads };
  }

  private choose(setup: RepairSetup, { goal }: { goal: number }): Promise<Choice | StopSignal> {
    const { logger, stop } = this.options;
    return chooseSettings(setup, goal, { phases: this.phases, logger, stop });
  }

  /** Unlearns with the choice, then trains replay alone for as many steps. */
  private async unlearn(setup: RepairSetup, { tried: all, goal, chosen }: Choice): Promise<Trained | StopSignal> {
    const { logger, stop } = this.options;
    const training = { seconds: this.phases.seconds, logger, stop };
    const candidate = candidateNamed(setup, chosen);
    const tried = all.find(({ name }) => name === chosen)!;
    const made = await unlearn(setup, { candidate, tried, goal }, training);
    if (typeof made === 'string') return made;
    const control = await replayAlone(setup, { candidate, steps: made.steps }, training);
    if (typeof control === 'string') return control;
    return { ...candidate, steps: made.steps, folder: made.folder, control: control.folder };
  }

  private verify(
    { start, repaired, control: alone }: { start: ModelMeasures; repaired: string; control: string },
    texts: MeasuredTexts,
    { benchmarks: scored, isLimited }: { benchmarks?: ScoredBenchmarks; isLimited: boolean },
  ) {
    return this.phases.once('verify', () => {
      this.options.logger.info('measuring the repaired model and the control on the same text');
      const [end, control] = [repaired, alone].map((folder) => measureModel(folder, texts));
      return {
        ...verdictAfter({ start, end, control }, scored && benchmarkEvidence(scored), isLimited),
        end,
        control,
      };
    });
  }

  /** Folders of a model as it is asked. */
  private foldersToAsk(name: string, folder: string): Promise<string[] | StopSignal> {
    const { logger, stop } = this.options;
    return foldersToAsk(this.request, { name, folder }, { phases: this.phases, logger, stop });
  }

  /** What further training would do to the repaired model. */
  private relapse(setup: RepairSetup, repaired: string, { tried }: Choice): Promise<Relapse | null | StopSignal> {
    const { logger, stop } = this.options;
    const { start } = tried[0].patternP;
    return findRelapse(setup, { repaired, start }, { phases: this.phases, logger, stop });
  }

  private async keepModel(from: string): Promise<string> {
    const to = join(this.request.out, 'model');
    if (!existsSync(to))
      await writeFolderAtomically(to, (folder) => cpSync(from, folder, { recursive: true }), { list: 'none' });
    return to;
  }

  private write(found: Found, shown: Omit<PageParts, 'models'>): RepairResults {
    const results = resultsOf(found);
    const models = { start: found.before.model, end: found.after?.end, control: found.after?.control };
    writeFileAtomically(join(this.request.out, 'repair.json'), `${JSON.stringify(results, null, 1)}\n`);
    writeFileAtomically(join(this.request.out, 'report.html'), repairPage(results, { ...shown, models }));
    writeFileAtomically(join(this.request.out, 'report.md'), repairMarkdown(results, shown.more?.markdown));
    return results;
  }
}
