export { type Clock, type ManualClock, manualClock, systemClock } from './clock.js';
export { nearestName } from './nearest-name.js';
export { type LoadedRecipe, loadRecipe, RecipeError, type RecipeIssue, recipeJsonSchema } from './recipe.js';
export { formatKeyPath, type KeyPath } from './recipe-document.js';
export { type Random, seededRandom } from './seed.js';
export { UserError } from './user-error.js';
