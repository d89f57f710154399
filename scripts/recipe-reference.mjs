// Writes docs/recipes.md from the schemas of the recipes.
import { writeFileSync } from 'node:fs';
import { build } from './build.mjs';

await build();
const { recipesPage } = await import('../packages/cli/dist/reference/recipes-page.js');
writeFileSync(new URL('../docs/recipes.md', import.meta.url), recipesPage());
