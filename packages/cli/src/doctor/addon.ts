import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { addonPath, addonRemedy, operatorNames } from '@lethe/native';
import type { OpenedAddon } from './describe-addon.js';
import { type Finding, ok, problem, reasonOf, warning } from './finding.js';

/** Whether a source of the addon is newer than it, by the rule that every command builds by; undefined outside a checkout. */
function isOlderThanSource(): boolean | undefined {
  const script = fileURLToPath(new URL('../../../../scripts/build.mjs', import.meta.url));
  if (!existsSync(script)) return undefined;
  return spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' }).stdout.includes('native addon');
}

/** The addon: whether it loads, has the operators that this Lethe calls, and was built from the sources beside it. */
export function checkAddon(
  { description, unloadable }: OpenedAddon,
  { path = addonPath, isStale = isOlderThanSource }: { path?: string; isStale?: () => boolean | undefined } = {},
): Finding {
  if (!existsSync(path)) return problem('addon', `${path} is not built`, addonRemedy);
  if (unloadable !== undefined) return problem('addon', `${path}: ${reasonOf(unloadable)}`, addonRemedy);
  if (description && description.operators.join() !== operatorNames.join())
    return problem('addon', `${path} has other operators than this version of Lethe calls`, addonRemedy);
  const stale = isStale();
  if (stale)
    return warning(
      'addon',
      `${path} is older than its sources`,
      'node scripts/build.mjs, as other commands begin with',
    );
  return ok('addon', stale === undefined ? `${path}, prebuilt` : `${path}, built from these sources`);
}
