import { UsageError } from '@lethe/run';
import { DEVICE_NAMES } from '@lethe/tensor';
import { type Command, Option } from 'commander';
import { threadCount } from './number-options.js';

/** Flags that stand for one key of a training recipe each. */
const KEYS = { model: 'model.init', device: 'device', precision: 'precision', threads: 'threads' } as const;

/** What these flags hold; absent where the recipe decides. */
export type Shorthands = Partial<Record<keyof typeof KEYS, string | number>>;

/** Adds `--model`, `--device`, `--precision` and `--threads`; the recipe's values hold where they are not given. */
export const addShorthands = (command: Command): Command =>
  command
    .option('--model <dir>', 'checkpoint to start from: model.init of the recipe')
    .addOption(new Option('--device <name>', 'where to compute: device of the recipe').choices([...DEVICE_NAMES]))
    .addOption(new Option('--precision <p>', 'precision of the recipe').choices(['fp32', 'bf16']))
    .option('--threads <n>', 'CPU threads: threads of the recipe', threadCount);

/**
 * The changes that `--set` and the shorthands make together.
 * @throws UsageError where both give the same key.
 */
export function changesOf({ set, ...flags }: Shorthands & { set: string[] }): string[] {
  const changes = (Object.keys(KEYS) as (keyof typeof KEYS)[])
    .filter((flag) => flags[flag] !== undefined)
    .map((flag) => {
      const key = KEYS[flag];
      const twice = set.find((change) => change.startsWith(`${key}=`));
      if (twice !== undefined) throw new UsageError(`--${flag} and --set ${twice}: both give ${key}; give one of them`);
      return `${key}=${JSON.stringify(flags[flag])}`;
    });
  return [...set, ...changes];
}
