import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError, writeFileAtomically } from '@lethe/run';
import type { Command } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { repairSettings, type RepairSettings } from '../repair/repair-settings.js';
import { settingsText } from '../repair/write-settings.js';

const HELP = `
Example:
  lethe init --model models/synth --synthetic qa.jsonl --natural web.jsonl
  lethe repair repair.yaml`;

const refusalOf = (file: string): string =>
  `${file}: there already, and not what this command would write; --force writes over it`;

/** `lethe init`: a recipe of `lethe repair` with comments, after a look at the model and the texts. */
export function addInitCommand(program: Command, context: CliContext): void {
  program
    .command('init')
    .description('look at a model and its texts, and write a commented recipe of lethe repair')
    .argument('[recipe]', 'file to write', 'repair.yaml')
    .option('--model <dir>', 'checkpoint folder, or hf://OWNER/NAME, of the model')
    .option('--synthetic <files...>', 'the synthetic text it was trained on: files, or a folder of shards')
    .option('--natural <files...>', 'ordinary text of the kinds that it is to keep: files, or shards')
    .option('--base <dir>', 'the model from before the synthetic text, where there is one')
    .option('--force', 'write over a file that is there')
    .addHelpText('after', HELP)
    .action(async (file: string, { force, ...flags }: Partial<RepairSettings> & { force?: true }) => {
      const isThere = existsSync(file) && !force;
      // Refused before the look at the texts, which may take a while, where it cannot be the recipe asked for.
      if (isThere && flags.model === undefined) throw new UserError(refusalOf(file));
      const text = await settingsText(repairSettings(undefined, flags), context.logger());
      // The same recipe is written again: one that was broken off may not have reached the disk.
      if (isThere && readFileSync(file, 'utf8') !== text) throw new UserError(refusalOf(file));
      writeFileAtomically(file, text);
      process.stdout.write(`${text}\n`);
      context.logger().info(`recipe: ${file}; next: npx lethe repair ${join(file)}`);
    });
}
