import { fileURLToPath } from 'node:url';

/** The path of a recipe that comes with Lethe, by its name without `.yaml`. */
export const recipePath = (name: string): string =>
  fileURLToPath(new URL(`../../recipes/${name}.yaml`, import.meta.url));
