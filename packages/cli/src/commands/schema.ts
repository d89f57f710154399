import { recipeJsonSchema } from '@lethe/run';
import { Argument, type Command } from 'commander';
import type { CliContext } from '../command-line/context.js';
import { RECIPE_SCHEMAS } from '../reference/recipe-schemas.js';

const HELP = `
For editors: they complete keys and mark wrong ones where the first line of a recipe names the file.
  lethe schema unlearn > unlearn.schema.json
  # yaml-language-server: $schema=unlearn.schema.json`;

/** `lethe schema`: what a recipe may say, for editors. */
export function addSchemaCommand(program: Command, _context: CliContext): void {
  program
    .command('schema')
    .description("print the JSON Schema of a command's recipe")
    .addArgument(new Argument('<command>', 'whose recipe').choices(Object.keys(RECIPE_SCHEMAS)))
    .addHelpText('after', HELP)
    .action((command: string) => {
      const schema = recipeJsonSchema(RECIPE_SCHEMAS[command]!, `Recipe of lethe ${command}`);
      process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
    });
}
