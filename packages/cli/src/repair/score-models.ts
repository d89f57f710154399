import { join } from 'node:path';
import type { Evaluation } from '@lethe/eval';
import type { Logger } from '@lethe/run';
import { compareScored, readBenchmarks, type ScoredBenchmarks, scoreModel } from './benchmarks.js';
import type { ScoredModel } from './fine-tune.js';
import type { InstructionFile } from './instruction-parts.js';
import type { Phases } from './phase.js';
import type { RepairRequest } from './repair-request.js';

/** Folders of the models as they are asked. */
type Folders = Record<Exclude<ScoredModel, 'base'>, string[]> & { base?: string[] };

/** The models on the benchmarks that were asked for; what was answered before an interruption is not asked again. */
export async function scoreModels(
  { out, eval: recipe, finetune, device, precision }: RepairRequest,
  { base, ...folders }: Folders,
  { instructions, phases, logger }: { instructions: InstructionFile[]; phases: Phases; logger: Logger },
): Promise<ScoredBenchmarks | undefined> {
  const benchmarks = readBenchmarks({ recipe, instructions });
  if (benchmarks.tasks.length === 0) return undefined;
  const score = (name: string, model: string): Promise<Evaluation> =>
    phases.once(`score-${name}`, () => {
      logger.info(`benchmarks: the model ${name}`);
      const items = join(out, 'items', name);
      return scoreModel(benchmarks, { model, items, device: `${device} ${precision}` }, logger);
    });
  const scoreAll = async (name: ScoredModel, of: string[]): Promise<Evaluation[]> => {
    const evaluations: Evaluation[] = [];
    for (const [run, folder] of of.entries())
      evaluations.push(await score(finetune ? `${name}-${run + 1}` : name, folder));
    return evaluations;
  };
  return compareScored({
    before: await scoreAll('before', folders.before),
    repaired: await scoreAll('repaired', folders.repaired),
    control: await scoreAll('control', folders.control),
    ...(base && { base: await scoreAll('base', base) }),
  });
}
