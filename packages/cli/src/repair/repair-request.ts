import { resolve } from 'node:path';
import { readJsonFile, UserError, writeFileAtomically } from '@lethe/run';
import type { DeviceSettings } from '@lethe/tensor';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Budget } from './plan.js';

/** What the user asked for. */
export interface RepairRequest extends DeviceSettings {
  model: string;
  base?: string;
  synthetic: string[];
  natural: string[];
  /** An evaluation recipe, and files of instructions that rules check: scored before and after. */
  eval?: string;
  instructions: string[];
  budget: Budget;
  out: string;
  /** Train even where the verdict does not advise it. */
  anyway: boolean;
}

/** Of what the phases leave; another one cannot go on. */
const FORMAT = 2;

const FIRST = 'its results would be read as this one’s; give another folder with --out, or remove this one';

/**
 * Takes a folder for one request.
 * @param files hashes of the models' files.
 * @throws UserError where it is another's, naming what differs.
 */
export function takeFolder({ out, ...request }: RepairRequest, files: Record<string, string>): void {
  const { model, base, synthetic, natural, budget, anyway, device, precision, instructions } = request;
  const paths = (list: string[]): string[] => list.map((path) => resolve(path));
  const settings = {
    format: FORMAT,
    model,
    base,
    synthetic: paths(synthetic),
    natural: paths(natural),
    eval: request.eval,
    instructions: paths(instructions),
    budget,
    anyway,
    device,
    precision,
    files,
  };
  const file = join(out, 'request.json');
  const text = `${JSON.stringify(settings, null, 1)}\n`;
  if (!existsSync(file)) return writeFileAtomically(file, text);
  const known = readJsonFile(file) as Record<string, unknown>;
  const now = JSON.parse(text) as Record<string, unknown>;
  const differing = Object.keys({ ...known, ...now }).filter(
    (key) => JSON.stringify(known[key]) !== JSON.stringify(now[key]),
  );
  if (differing.length === 0) return;
  throw new UserError(`${out}: holds a repair of another request (${differing.join(', ')} differ); ${FIRST}`);
}
