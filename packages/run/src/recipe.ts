import * as z from 'zod';
import { nearestName } from './nearest-name.js';
import { shortened } from './plain-text.js';
import {
  formatKeyPath,
  readRecipeDocument,
  type KeyPath,
  type Overrides,
  type RecipeDocument,
} from './recipe-document.js';
import { findUnknownKeys, type UnknownKey } from './unknown-keys.js';
import { UserError } from './user-error.js';

/** One thing wrong with a recipe. */
export interface RecipeIssue {
  /** `recipe.yaml:12`, or `--set a.b` when an override wrote the value. */
  where: string;
  /** The key, as `optimizer.lr`; empty for the recipe as a whole. */
  key: string;
  /** What was expected and received. */
  problem: string;
}

/** Issues that a message tells. */
const MOST_ISSUES = 10;

/** A recipe that its schema refuses; the message has one line per {@link RecipeIssue}, for the first of them. */
export class RecipeError extends UserError {
  constructor(readonly issues: readonly RecipeIssue[]) {
    const told = issues.slice(0, MOST_ISSUES);
    const lines = told.map(
      ({ where, key, problem }) => `${shortened(where, 120)}: ${key === '' ? '' : `${shortened(key, 60)}: `}${problem}`,
    );
    const numMore = issues.length - told.length;
    super([...lines, ...(numMore > 0 ? [`and ${numMore} more; correct these first`] : [])].join('\n'));
  }
}

/** A validated recipe and the text it came from. */
export interface LoadedRecipe<T> {
  recipe: T;
  /** The text of the recipe file itself, for the run's records. */
  text: string;
  /** Files read: the recipe, then those it extends. */
  files: string[];
  /** Where a key was written, for errors found after validation (`recipe.yaml:12`). */
  origin(path: KeyPath): string;
}

/**
 * Reads a YAML recipe, applies `extends` and overrides `key=value`, and validates it. Unknown keys are errors.
 *
 * @throws RecipeError naming file and line, key, what was expected and what was received, for every issue at once.
 * @throws UserError when the file cannot be read or is not YAML.
 */
export function loadRecipe<S extends z.ZodType>(
  file: string,
  schema: S,
  overrides: Overrides = {},
): LoadedRecipe<z.output<S>> {
  const document = readRecipeDocument(file, overrides);
  const unknown = findUnknownKeys(schema, document.values);
  const issues = unknownKeyIssues(document, unknown);
  const parsed = schema.safeParse(document.values, { reportInput: true });
  for (const issue of parsed.error?.issues ?? []) {
    // Unknown keys were found above, with suggestions.
    if (issue.code !== 'unrecognized_keys' || issues.length === 0) issues.push(...describeIssue(document, issue));
  }
  if (issues.length > 0 || !parsed.success) throw new RecipeError(issues);
  const { text, files, origin } = document;
  return { recipe: parsed.data, text, files, origin };
}

/** What is wrong with values that a schema refuses, in a recipe's words: the key, what was expected, what was received. */
export function describeIssues(issues: readonly z.core.$ZodIssue[], values: unknown): string[] {
  const document = { values: values as Record<string, unknown>, origin: () => '' };
  const told = issues.flatMap((issue) => describeIssue(document, issue));
  return told.map(({ key, problem }) => (key === '' ? problem : `${key}: ${problem}`));
}

/** The JSON Schema of a recipe, for editors; it also allows `extends`, and then any key may be missing. */
export function recipeJsonSchema(schema: z.ZodType, title: string): Record<string, unknown> {
  const { required, ...json } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (jsonSchema.type === 'object' && jsonSchema.properties) jsonSchema.additionalProperties ??= false;
    },
  }) as Record<string, unknown>;
  const parents = {
    description: 'Recipes that this one starts from, relative to this file.',
    anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
  };
  return {
    ...json,
    title,
    properties: { extends: parents, ...(json['properties'] as object | undefined) },
    ...(required !== undefined && { anyOf: [{ required }, { required: ['extends'] }] }),
  };
}

/** Values, and where each was written. */
type Described = Pick<RecipeDocument, 'values' | 'origin'>;

/** The keys that a mapping has are listed once. */
function unknownKeyIssues(document: RecipeDocument, unknown: readonly UnknownKey[]): RecipeIssue[] {
  const listed = new Set<string>();
  return unknown.map(({ path, known }) => {
    const nearest = nearestName(String(path.at(-1)), known);
    const list = known.join(', ') || 'no keys';
    const advice = nearest ? `did you mean '${nearest}'?` : listed.has(list) ? 'as above' : `expected one of ${list}`;
    if (!nearest) listed.add(list);
    return { where: document.origin(path), key: formatKeyPath(path), problem: `unknown key; ${advice}` };
  });
}

function describeIssue(document: Described, issue: z.core.$ZodIssue): RecipeIssue[] {
  const path = issue.path as KeyPath;
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The option that the value came closest to: the one whose first complaint is deepest.
    const depth = (errors: z.core.$ZodIssue[]) => Math.max(...errors.map((error) => error.path.length));
    const nearest = [...issue.errors].sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
    if (depth(nearest) > 0) {
      return nearest.flatMap((inner) => describeIssue(document, { ...inner, path: [...issue.path, ...inner.path] }));
    }
    const expected = issue.errors.flat().map((inner) => expectation(inner));
    return [issueAt(document, path, `expected ${[...new Set(expected)].join(' or ')}`)];
  }
  const complaint = issue.code === 'custom' ? issue.message : `expected ${expectation(issue)}`;
  return [issueAt(document, path, complaint)];
}

function issueAt(document: Described, path: KeyPath, complaint: string): RecipeIssue {
  // Beside a long list of what is possible, what was received is cut more.
  const received = describeReceived(valueAt(document.values, path), complaint.length > 120 ? 40 : 80);
  return { where: document.origin(path), key: formatKeyPath(path), problem: `${complaint}, received ${received}` };
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return issue.expected;
  if (issue.code === 'invalid_value') return oneOf(issue.values, issue.input);
  if (issue.code === 'too_small') return `${sizeOf(issue.origin)}${issue.inclusive ? '>=' : '>'} ${issue.minimum}`;
  if (issue.code === 'too_big') return `${sizeOf(issue.origin)}${issue.inclusive ? '<=' : '<'} ${issue.maximum}`;
  if (issue.code === 'not_multiple_of') return `a multiple of ${issue.divisor}`;
  if (issue.code === 'invalid_format' && issue.format === 'regex') return issue.message; // ours: it says it in words
  if (issue.code === 'invalid_format') return `a string in the format ${issue.format}`;
  if (issue.code === 'invalid_union') return issue.errors.flat().map(expectation).join(' or ') || 'another value';
  if (issue.code === 'unrecognized_keys') return `no key ${issue.keys.map((key) => `'${key}'`).join(', ')}`;
  return `another value (${issue.message})`;
}

const SIZED: Readonly<Record<string, string>> = { string: 'a text of length ', array: 'a list of length ' };
const sizeOf = (origin: string): string => SIZED[origin] ?? '';

function oneOf(values: readonly unknown[], input: unknown): string {
  const nearest = typeof input === 'string' && values.length > 1 && nearestName(input, values.map(String));
  const list = values.map((value) => JSON.stringify(value)).join(' | ');
  return nearest ? `${list} (did you mean ${JSON.stringify(nearest)}?)` : list;
}

function valueAt(values: unknown, path: KeyPath): unknown {
  let value = values;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

function describeReceived(value: unknown, longest: number): string {
  if (value === undefined) return 'nothing (the key is missing)';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'a mapping';
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  const text = JSON.stringify(value);
  const kind = value === null ? '' : `${typeof value} `;
  return `${kind}${text.length > longest ? `${text.slice(0, longest - 3)}...` : text}`;
}
