import { loadRecipe, UsageError } from '@lethe/run';
import { parse, parseDocument } from 'yaml';
import { z } from 'zod';

/** A key of the recipe and the values it takes. */
export interface Variation {
  key: string;
  values: unknown[];
}

/** Keys that the sweep itself decides. */
const OWN_KEYS = ['name', 'runs', 'stage'];

const sweepFileSchema = z.record(z.string(), z.array(z.unknown()).min(1));

/** A value as `--set` takes it: one text for each value, however it was written. */
export function valueText(value: unknown): string {
  if (typeof value === 'number') {
    const isSmall = value !== 0 && Math.abs(value) < 1e-3;
    return (isSmall ? value.toExponential() : String(value)).replace('e+', 'e');
  }
  const isPlain = typeof value === 'string' && /^[\w./][\w./-]*$/.test(value) && parse(value) === value;
  return isPlain ? value : JSON.stringify(value);
}

/** Reads `key=value,value`: the values are those of a YAML list without its brackets. */
function parseFlag(flag: string): Variation {
  const split = flag.indexOf('=');
  const example = 'expected key=value,value, for example --vary optimizer.lr=1e-5,5e-5';
  if (split < 1) throw new UsageError(`--vary ${flag}: ${example}`);
  const key = flag.slice(0, split).trim();
  const text = flag.slice(split + 1);
  if (text.trim() === '') throw new UsageError(`--vary ${key}: no values; ${example}`);
  const list = parseDocument(`[${text}]`, { prettyErrors: false });
  const [error] = list.errors;
  if (error ?? /,\s*$/.test(text)) {
    throw new UsageError(`--vary ${key}: not a list of values, '${text}'; ${example}`, { cause: error });
  }
  return { key, values: list.toJS() as unknown[] };
}

function check({ key, values }: Variation, where: string, others: ReadonlySet<string>): void {
  if (OWN_KEYS.includes(key)) throw new UsageError(`${where}: a sweep decides ${OWN_KEYS.join(', ')} itself`);
  if (others.has(key)) throw new UsageError(`${where}: this key is given twice; give all of its values in one place`);
  const texts = values.map(valueText);
  const twice = texts.find((text, i) => texts.indexOf(text) < i);
  if (twice !== undefined) throw new UsageError(`${where}: the value ${twice} is given twice`);
}

/**
 * What a sweep varies: the lists of a YAML file, whose keys are those of the recipe with dots, then the flags `--vary`.
 * @throws UsageError naming the flag, or file and line, when a list is empty or cut wrongly, has a value twice, or its key is
 *   another list's, one of `--set`, or one that a sweep decides.
 */
export function readVariations(from: { vary: string[]; set: string[]; file?: string }): Variation[] {
  const { vary, set, file } = from;
  const listed = file === undefined ? undefined : loadRecipe(file, sweepFileSchema);
  const found = [
    ...Object.entries(listed?.recipe ?? {}).map(([key, values]) => ({
      variation: { key, values },
      where: `${listed!.origin([key])}: ${key}`,
    })),
    ...vary.map(parseFlag).map((variation) => ({ variation, where: `--vary ${variation.key}` })),
  ];
  if (found.length === 0) throw new UsageError('what should vary? give --vary key=value,value, or --sweep FILE');
  const taken = new Set(set.map((change) => change.split('=')[0].trim()));
  for (const { variation, where } of found) {
    check(variation, where, taken);
    taken.add(variation.key);
  }
  return found.map(({ variation }) => variation);
}
