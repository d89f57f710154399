import { type Command, Option } from 'commander';

/** Parses a flag that may be given more than once. */
export const intoList = (value: string, list: string[]): string[] => [...list, value];

/** A flag that may be given more than once; none by default. */
export const repeatable = (flags: string, description: string): Option =>
  new Option(flags, `${description}; repeatable`).argParser(intoList).default([], 'none');

/** Adds `--recipe` and `--set`. `shipped` is the recipe that comes with Lethe. */
export const addRecipeOptions = (command: Command, shipped: string): Command =>
  command
    .option('--recipe <file>', `YAML recipe (default: the recipe ${shipped} that comes with Lethe)`)
    .addOption(repeatable('--set <key=value>', 'change one key of the recipe'));
