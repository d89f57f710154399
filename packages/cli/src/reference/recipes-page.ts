import { evalRecipeSchema } from '@lethe/eval';
import { recipeJsonSchema } from '@lethe/run';
import { trainRecipeSchema } from '@lethe/train';
import type { ZodType } from 'zod';
import { prepareRecipeSchema } from '../preparation/prepare-recipe.js';
import { repairSettingsSchema } from '../repair/repair-settings.js';
import { recipeReference } from './recipe-reference.js';

const SECTIONS: [title: string, about: string, schema: ZodType][] = [
  ['lethe repair', '`lethe init` writes one; each key is the flag of the same name too.', repairSettingsSchema],
  ['lethe prepare', 'Each of its flags goes before the key of the same name.', prepareRecipeSchema],
  [
    'lethe pretrain, refine, finetune, unlearn',
    'One schema for all four: `objective` and `data.forget` are of unlearning alone. `lethe sweep` varies any of these keys.',
    trainRecipeSchema,
  ],
  ['lethe eval', 'A task is of one kind, which decides its other keys: `tasks[perplexity].shards`.', evalRecipeSchema],
];

const HEAD = `# Every key of every recipe

Made from the schemas by \`node scripts/recipe-reference.mjs\`; a test holds it to them. \`lethe schema COMMAND\` prints the same as JSON
Schema, which editors use to complete and check a recipe. A recipe is YAML. \`extends: FILE\` starts from another one, \`--set key=value\`
changes one key, and \`--set key=\` takes it away; an unknown key is refused with the nearest known one. \`a.b\` is the key \`b\` of the
mapping \`a\`, \`a[].b\` of each entry of the list \`a\`.`;

/** docs/recipes.md. */
export function recipesPage(): string {
  const sections = SECTIONS.map(
    ([title, about, schema]) => `## ${title}\n\n${about}\n\n${recipeReference(recipeJsonSchema(schema, title))}`,
  );
  return `${[HEAD, ...sections].join('\n\n')}\n`;
}
