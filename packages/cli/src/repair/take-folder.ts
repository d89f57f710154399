import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { readJsonFile, UserError, writeFileAtomically } from '@lethe/run';
import type { RepairRequest } from './repair-request.js';

/** Of what the phases leave; another one cannot go on. */
const FORMAT = 8;

/** What a folder was made for, as `request.json` keeps it. */
interface Taken extends Omit<RepairRequest, 'out' | 'threads'> {
  format: number;
  /** Hashes of the models' files. */
  files: Record<string, string>;
}

type Key = keyof Taken;

/** Keys that only scores depend on: a finished repair can be scored on more. */
const OF_SCORES: readonly Key[] = ['eval', 'instructions'];
/** Keys that the shards and the parts they are divided into depend on. */
const OF_DATA: readonly Key[] = ['format', 'model', 'synthetic', 'natural', 'files'];

/** What a repair makes in its folder. */
const MADE = ['data', 'items', 'model', 'phases', 'runs', 'repair.json', 'report.html', 'report.md'];

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
  const { model, base, synthetic, natural, budget, anyway, device, precision, instructions } = request;
  return {
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
    const scores = (name: string): boolean => name === 'verify.json' || name.startsWith('score-');
    for (const name of phasesIn(out).filter(scores)) remove('phases', name);
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

const phasesIn = (out: string): string[] => (existsSync(join(out, 'phases')) ? readdirSync(join(out, 'phases')) : []);

/** A key that differs, as a user knows it. */
function change(key: Key, known: Taken, now: Taken): string {
  if (key === 'format') return 'an earlier version of Lethe made it';
  if (key === 'files') return 'the files of the model have changed';
  const shown = (value: unknown): string => {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'nothing';
    return Array.isArray(value) ? value.join(' ') : typeof value === 'object' ? JSON.stringify(value) : String(value);
  };
  return `--${key}: ${shown(known[key])} before, ${shown(now[key])} now`;
}
