import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { digestFile, readJsonFile, UserError, writeFileAtomically } from '@lethe/run';
import { isOfFineTuning } from './fine-tune.js';
import type { RepairRequest } from './repair-request.js';

/** Of what the phases leave; another one cannot go on. */
const FORMAT = 9;

/** What a folder was made for, as `request.json` keeps it. */
interface Taken extends Omit<RepairRequest, 'out' | 'threads'> {
  format: number;
  /** Hashes of the models' files. */
  files: Record<string, string>;
  /** Hashes of the files of instructions and of the recipes. */
  asked: Record<string, string>;
}

type Key = keyof Taken;

/** Keys that only scores depend on: a finished repair can be scored on more. */
const OF_SCORES: readonly Key[] = ['eval', 'instructions', 'finetune', 'asked'];
/** Keys that the shards and the parts they are divided into depend on. */
const OF_DATA: readonly Key[] = ['format', 'model', 'synthetic', 'natural', 'files'];

/** What a repair makes in its folder. */
const MADE = ['data', 'instructions', 'items', 'model', 'phases', 'runs', 'repair.json', 'report.html', 'report.md'];

/**
 * Takes a folder for one request. What another request left there is made anew where it trained nothing and has no result; a
 * change of what models are scored on, and `anyway`, let a repair go on.
 * @param files hashes of the models' files.
 * @returns what was found for another request and is made anew, in words.
 * @throws UserError where the folder holds what another request trained or found, naming what differs, or what is not of a repair.
 */
export function takeFolder(request: RepairRequest, files: Record<string, string>): string | undefined {
  const { out } = request;
  const file = join(out, 'request.json');
  const text = `${JSON.stringify(takenBy(request, files), null, 1)}\n`;
  const known = existsSync(file) ? (readJsonFile(file) as Taken) : undefined;
  const foreign = known ? [] : MADE.filter((name) => existsSync(join(out, name)));
  if (foreign.length > 0)
    throw new UserError(
      `${out}: holds ${foreign.join(', ')}, which no repair made and this one would write over; give another folder with --out`,
    );
  const now = JSON.parse(text) as Taken;
  const told = known && differences(known, now).length > 0 ? forget(out, known, now) : undefined;
  writeFileAtomically(file, text);
  return told;
}

function takenBy({ out: _out, threads: _threads, ...request }: RepairRequest, files: Record<string, string>): Taken {
  const paths = (list: string[]): string[] => list.map((path) => resolve(path));
  const { model, base, synthetic, natural, budget, anyway, device, precision, instructions, finetune } = request;
  const asked = [request.eval, finetune?.recipe, ...instructions].filter((file) => file !== undefined);
  return {
    format: FORMAT,
    model,
    base,
    synthetic: paths(synthetic),
    natural: paths(natural),
    eval: request.eval,
    instructions: paths(instructions),
    finetune,
    asked: Object.fromEntries(asked.map((file) => [resolve(file), digestFile(file).sha256])),
    budget,
    anyway,
    device,
    precision,
    files,
  };
}

/** The keys that differ and matter: what was found holds for a request that trains anyway too. */
const differences = (known: Taken, now: Taken): Key[] =>
  (Object.keys({ ...known, ...now }) as Key[]).filter(
    (key) => JSON.stringify(known[key]) !== JSON.stringify(now[key]) && !(key === 'anyway' && now.anyway),
  );

/** Removes what was found for another request. @returns what is made anew. @throws UserError where that would lose something. */
function forget(out: string, known: Taken, now: Taken): string | undefined {
  const differing = differences(known, now);
  const remove = (...path: string[]): void => rmSync(join(out, ...path), { recursive: true, force: true });
  if (differing.every((key) => OF_SCORES.includes(key))) {
    const isKept = (name: string): boolean => isOfFineTuning(name) && !isTunedAnew(known, now);
    const ofScores = isChosenAnew(known, now) ? /^(verify|score|reach|ask|relapse)\b/ : /^(verify|score|reach)\b/;
    const isOfScores = (name: string): boolean => isOfFineTuning(name) || ofScores.test(name);
    for (const name of phasesIn(out).filter(isOfScores)) if (!isKept(name)) remove('phases', name);
    for (const name of namesIn(join(out, 'runs')).filter(isOfScores)) if (!isKept(name)) remove('runs', name);
    remove('items');
    remove('model'); // The verdict may be another one.
    return undefined;
  }
  const kept = existsSync(join(out, 'runs')) ? 'what it trained' : existsSync(join(out, 'repair.json')) && 'its result';
  const isInside = [...now.synthetic, ...now.natural].some((path) => path.startsWith(resolve(out) + sep));
  if (kept || isInside) {
    const changes = differing.map((key) => change(key, known, now)).join('; ');
    throw new UserError(
      `${out}: holds a repair of another request, and ${kept || 'the text of this one'} would be lost (${changes}); ` +
        'give another folder with --out, repeat the first command, or remove the folder',
    );
  }
  const hasData = !differing.some((key) => OF_DATA.includes(key));
  for (const name of phasesIn(out)) if (!(hasData && name === 'prepare.json')) remove('phases', name);
  if (!hasData) remove('data');
  return differing.map((key) => change(key, known, now)).join('; ');
}

/** Whether copies are fine-tuned by another recipe; another number of runs has the same ones. */
function isTunedAnew(known: Taken, now: Taken): boolean {
  const recipeOf = ({ finetune, asked }: Taken): string | undefined => finetune && asked[resolve(finetune.recipe)];
  return recipeOf(known) !== recipeOf(now);
}

/** Whether a setting is chosen by other instructions, or by other copies; models of the settings stay. */
function isChosenAnew(known: Taken, now: Taken): boolean {
  const by = ({ asked, instructions, finetune }: Taken): string =>
    JSON.stringify(
      [...instructions, ...(finetune ? [resolve(finetune.recipe)] : [])].map((file) => [file, asked[file]]),
    );
  return by(known) !== by(now);
}

const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
const phasesIn = (out: string): string[] => namesIn(join(out, 'phases'));

/** A key that differs, as a user knows it. */
function change(key: Key, known: Taken, now: Taken): string {
  if (key === 'format') return 'an earlier version of Lethe made it';
  if (key === 'files') return 'the files of the model have changed';
  if (key === 'asked') return 'the files of what models are asked have changed';
  const shown = (value: unknown): string => {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'nothing';
    return Array.isArray(value) ? value.join(' ') : typeof value === 'object' ? JSON.stringify(value) : String(value);
  };
  return `--${key}: ${shown(known[key])} before, ${shown(now[key])} now`;
}
