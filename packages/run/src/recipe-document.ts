import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { requireFile } from './regular-file.js';
import { readingProblem } from './system-error.js';
import { UsageError, UserError } from './user-error.js';

/** A step into a recipe: a mapping's key or a list's index. */
export type KeyPath = readonly (string | number)[];

/** Writes `['streams', 0, 'path']` as `streams.0.path`. */
export const formatKeyPath = (path: KeyPath): string => path.join('.');

/** A recipe's values before validation, and where each came from. */
export interface RecipeDocument {
  /** Plain values; mappings are objects. */
  values: Record<string, unknown>;
  /** Where a key was written (`recipe.yaml:12` or `--set a.b`); for an absent key, where its nearest parent was. */
  origin(path: KeyPath): string;
  /** Files read, the recipe itself first, then what it extends. */
  files: string[];
  /** The text of the recipe itself. */
  text: string;
}

/** Changes `key=value` of a recipe, whose values are YAML, by the flag that gave them: messages name it. */
export interface Overrides {
  set?: readonly string[];
  /** Applied after `set`. */
  vary?: readonly string[];
}

const MAX_DEPTH = 32;

type Origins = Map<string, string>;
const originKey = (path: KeyPath) => JSON.stringify(path.map(String));
const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads a YAML recipe and those it `extends` (a path or a list of paths, relative to the recipe; mappings merge deeply,
 * anything else replaces), then applies overrides `a.b=c`.
 *
 * @throws UserError for files that are missing, not YAML, not a mapping or extend each other in a circle.
 */
export function readRecipeDocument(file: string, { set = [], vary = [] }: Overrides = {}): RecipeDocument {
  const files: string[] = [];
  const origins: Origins = new Map();
  const { values, text } = readLayer(file, { files, origins, extending: [] });
  for (const override of set) applyOverride(values, override, { flag: '--set', origins });
  for (const override of vary) applyOverride(values, override, { flag: '--vary', origins });
  const origin = (path: KeyPath): string => findOrigin(origins, path) ?? file;
  refuseNul(values, [], origin);
  return { values, text, files, origin };
}

interface Reading {
  files: string[];
  origins: Origins;
  extending: string[];
}

function readLayer(file: string, reading: Reading): { values: Record<string, unknown>; text: string } {
  const absolute = resolve(file);
  if (reading.extending.includes(absolute)) throw new UserError(`${file}: extends itself; remove one 'extends' key`);
  requireFile(file);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const isAbsent = code === 'ENOENT' || code === 'ENOTDIR';
    throw new UserError(
      isAbsent
        ? `${file || '(an empty path)'}: expected a recipe, found no such file; check the path`
        : `${file}: cannot read the recipe: ${readingProblem(cause)}`,
      { cause },
    );
  }
  reading.files.push(file);
  const { values: ownValues, origins: ownOrigins } = parseText(file, text);
  const { extends: parents, ...own } = ownValues;
  let merged: Record<string, unknown> = {};
  for (const parent of parentFiles(parents, ownOrigins.get(originKey(['extends'])) ?? file)) {
    const path = resolve(dirname(absolute), parent);
    const shown = dirname(file) === '.' || parent === path ? parent : `${dirname(file)}/${parent}`;
    const inherited = readLayer(shown, { ...reading, extending: [...reading.extending, absolute] }).values;
    merged = merge(merged, inherited);
  }
  for (const [key, where] of ownOrigins) reading.origins.set(key, where);
  return { values: merge(merged, own), text };
}

function parentFiles(parents: unknown, where: string): string[] {
  if (parents === undefined) return [];
  const list: unknown[] = Array.isArray(parents) ? parents : [parents];
  if (list.every((parent) => typeof parent === 'string')) return list;
  throw new UserError(`${where}: extends: expected a path or a list of paths, received ${JSON.stringify(parents)}`);
}

/** Parses one YAML mapping and records the line of each key. */
function parseText(file: string, text: string): { values: Record<string, unknown>; origins: Origins } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const where = (offset: number) => `${file}:${Math.max(1, lines.linePos(offset).line)}`;
  const [error] = document.errors;
  if (error) throw new UserError(`${where(error.pos[0])}: ${yamlProblem(error.message)}`, { cause: error });
  const values = plainValues(document, file);
  if (values === null || values === undefined)
    throw new UserError(`${file}: the recipe is empty; write its keys, such as 'name: value', or name another file`);
  if (!isMapping(values))
    throw new UserError(
      `${where(0)}: expected a mapping of keys, such as 'name: value', received a single value or list`,
    );
  const origins: Origins = new Map();
  recordOrigins(document, document.contents, [], (path, offset) => origins.set(originKey(path), where(offset)));
  return { values, origins };
}

const TOO_DEEP = `nested more than ${MAX_DEPTH} deep, or an alias that contains itself; write it flatter`;

/** What a message of the parser means for whoever wrote the text. */
function yamlProblem(message: string): string {
  if (message.startsWith('Maximum call stack')) return TOO_DEEP;
  if (message.startsWith('Source contains multiple documents'))
    return 'expected one mapping of keys, received a second after ---; keep one of them';
  return `not valid YAML: ${message.replaceAll('\n', ' ')}; correct this line, or put quotes around the text in it`;
}

/** @throws UserError for a text that no file's name, and no text to train on, can hold. */
function refuseNul(value: unknown, path: KeyPath, origin: (path: KeyPath) => string): void {
  if (typeof value === 'string' && value.includes('\0'))
    throw new UserError(`${origin(path)}: ${formatKeyPath(path)}: expected a text without NUL characters; remove them`);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) refuseNul(inner, [...path, key], origin);
}

/** Aliases that are unknown, circular or expand beyond reason are found only here. */
function plainValues(document: Document, where: string): unknown {
  let values: unknown;
  try {
    values = document.toJS();
  } catch (cause) {
    throw new UserError(`${where}: ${yamlProblem((cause as Error).message)}`, { cause });
  }
  if (isDeeper(values, MAX_DEPTH)) {
    throw new UserError(`${where}: ${TOO_DEEP}`);
  }
  return values;
}

const isDeeper = (value: unknown, depth: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (depth === 0 || Object.values(value).some((inner) => isDeeper(inner, depth - 1)));

type Recorder = (path: KeyPath, offset: number) => void;

function recordOrigins(document: Document, node: unknown, path: KeyPath, record: Recorder): void {
  if (isAlias(node)) return recordOrigins(document, node.resolve(document), path, record);
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      const child = [...path, String(isScalar(key) ? key.value : key)];
      record(child, startOf(key as Node) ?? 0);
      recordOrigins(document, value, child, record);
    }
  } else if (isSeq(node)) {
    node.items.forEach((item, index) => {
      const child = [...path, index];
      const offset = startOf(item as Node);
      if (offset !== undefined) record(child, offset);
      recordOrigins(document, item, child, record);
    });
  }
}

const startOf = (node: Node | null): number | undefined => node?.range?.[0];

function findOrigin(origins: Origins, path: KeyPath): string | undefined {
  for (let length = path.length; length > 0; length--) {
    const where = origins.get(originKey(path.slice(0, length)));
    if (where !== undefined) return where;
  }
  return undefined;
}

function merge(base: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = Object.hasOwn(base, key) ? base[key] : undefined;
    Object.defineProperty(merged, key, {
      value: isMapping(below) && isMapping(value) ? merge(below, value) : value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return merged;
}

function applyOverride(
  values: Record<string, unknown>,
  override: string,
  { flag, origins }: { flag: string; origins: Origins },
): void {
  const split = override.indexOf('=');
  if (split < 1) throw new UsageError(`${flag} ${override}: expected key=value, for example ${flag} optimizer.lr=1e-4`);
  const name = override.slice(0, split).trim();
  const where = `${flag} ${name}`;
  const keys = name.split('.');
  const document = parseDocument(override.slice(split + 1), { prettyErrors: false, logLevel: 'error' });
  const [error] = document.errors;
  if (error) throw new UserError(`${where}: ${yamlProblem(error.message)}`, { cause: error });
  let parent: unknown = values;
  const path: string[] = [];
  for (const [depth, key] of keys.entries()) {
    const step = stepInto(parent, key, where, path);
    path.push(step.key);
    if (depth === keys.length - 1) step.container[step.key] = plainValues(document, where);
    else if (step.container[step.key] === undefined || step.container[step.key] === null) {
      step.container[step.key] = {};
      origins.set(originKey(path), where);
    }
    parent = step.container[step.key];
  }
  forgetBelow(origins, path);
  origins.set(originKey(path), where);
}

function stepInto(parent: unknown, key: string, where: string, path: KeyPath) {
  const place = path.length === 0 ? 'the recipe' : `'${formatKeyPath(path)}'`;
  if (key === '' || key === '__proto__')
    throw new UserError(`${where}: '${key}' is not a key; expected names joined by dots, such as optimizer.lr`);
  if (Array.isArray(parent)) {
    if (!/^\d+$/.test(key) || Number(key) > parent.length) {
      throw new UserError(`${where}: ${place} is a list of ${parent.length}; expected an index, received '${key}'`);
    }
  } else if (!isMapping(parent)) {
    throw new UserError(`${where}: ${place} is ${JSON.stringify(parent)}, which has no key '${key}'`);
  }
  return { container: parent as Record<string, unknown>, key };
}

/** What an override replaced no longer has lines of its own. */
function forgetBelow(origins: Origins, path: KeyPath): void {
  const prefix = originKey(path).slice(0, -1);
  for (const key of origins.keys()) if (key.startsWith(`${prefix},`)) origins.delete(key);
}
