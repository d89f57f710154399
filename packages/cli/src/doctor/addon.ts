import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { addonPath, operatorNames } from '@lethe/native';
import type { OpenedAddon } from './describe-addon.js';
import { type Finding, ok, problem, reasonOf, warning } from './finding.js';

const BUILD = 'in the repository: bash scripts/setup.sh, which installs what the build needs, and builds';
const REBUILD = 'in the repository: npx cmake-js rebuild -d native -O native/build';

/** Whether a source of the addon is newer than it, by the rule that every command builds by; false outside a checkout. */
function isOlderThanSource(): boolean {
  const script = fileURLToPath(new URL('../../../../scripts/build.mjs', import.meta.url));
  if (!existsSync(script)) return false;
  return spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' }).stdout.includes('native addon');
}

/** The addon: whether it loads, has the operators that this Lethe calls, and was built from the sources beside it. */
export function checkAddon(
  { description, unloadable }: OpenedAddon,
  { path = addonPath, isStale = isOlderThanSource }: { path?: string; isStale?: () => boolean } = {},
): Finding {
  if (!existsSync(path)) return problem('addon', `${path} is not built`, BUILD);
  if (unloadable !== undefined)
    return problem(
      'addon',
      `${path}: ${reasonOf(unloadable)}`,
      `${REBUILD} (bash scripts/setup.sh installs the libraries it needs)`,
    );
  if (description && description.operators.join() !== operatorNames.join())
    return problem('addon', `${path} has other operators than this version of Lethe calls`, REBUILD);
  if (isStale())
    return warning(
      'addon',
      `${path} is older than its sources`,
      'node scripts/build.mjs, as other commands begin with',
    );
  return ok('addon', `${path}, built from these sources`);
}
