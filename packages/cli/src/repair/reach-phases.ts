import { join } from 'node:path';
import { type LlamaConfig, readConfig } from '@lethe/model';
import type { Logger } from '@lethe/run';
import type { InstructionParts } from './instruction-parts.js';
import type { MeasuredTexts } from './measure.js';
import type { Phases } from './phase.js';
import {
  answersOf,
  type Asking,
  isConfined,
  naturalHolds,
  type ReachBefore,
  reachOf,
  requestsOf,
  requestsThatFit,
} from './reach.js';
import type { RepairRequest } from './repair-request.js';
import type { Reach } from './results.js';
import { confinedText } from './verdict-text.js';

/** How models are asked, whom that tells, and where it is kept. */
type Asked = Asking & { phases: Phases; logger: Logger };

const askedOf = ({ instructions }: RepairRequest): Reach['asked'] =>
  instructions.length > 0 ? 'instructions' : 'plain requests';

const contextOf = (model: string): number => readConfig(join(model, 'config.json')).config.maxPositions;

/** How far the pattern reaches beyond its own text in the models before; no answers where no request leaves room for one. */
export async function reachBefore(
  request: RepairRequest,
  { model, base, config, parts }: { model: string; base?: string; config: LlamaConfig; parts: InstructionParts },
  texts: MeasuredTexts,
  asked: Asked,
): Promise<ReachBefore> {
  const { phases, logger } = asked;
  const found = await phases.once('reach-before', async (): Promise<ReachBefore> => {
    const all = requestsOf(parts.report.map(({ data }) => data));
    const context = base === undefined ? config.maxPositions : Math.min(config.maxPositions, contextOf(base));
    const requests = await requestsThatFit(all, asked.tokenizer, context);
    if (requests.length < all.length)
      logger.warn(
        `${all.length - requests.length} of ${all.length} ${askedOf(request)} leave no room for an answer in a context of ${context} tokens, and are not asked`,
      );
    if (requests.length === 0) return { requests, start: [], natural: [] };
    const copy = request.finetune ? 'a fine-tuned copy of ' : '';
    logger.info(`asking ${copy}${request.model} ${requests.length} things, to see how far the pattern reaches`);
    const start = await answersOf(model, requests, asked);
    const ofBase = base === undefined ? undefined : await answersOf(base, requests, asked);
    return { requests, start, base: ofBase, natural: await naturalHolds(texts, asked) };
  });
  if (found.requests.length > 0 && isConfined(found.start))
    logger.warn(confinedText({ asked: askedOf(request), requests: found.requests.length }));
  return found;
}

/** The same with the models after; undefined where nothing could be asked. */
export async function reachAfter(
  request: RepairRequest,
  before: ReachBefore,
  folders: Record<'end' | 'control', string>,
  asked: Asked,
): Promise<Reach | undefined> {
  if (before.requests.length === 0) return undefined;
  const after = await asked.phases.once('reach-after', async () => ({
    end: await answersOf(folders.end, before.requests, asked),
    control: await answersOf(folders.control, before.requests, asked),
  }));
  return reachOf(before, after, askedOf(request));
}
