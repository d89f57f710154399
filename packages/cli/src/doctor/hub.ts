import { hubAccess, hubCacheFolder } from '@lethe/data-pipeline';
import { type Finding, gibibytes, ok, reasonOf, warning } from './finding.js';
import { roomIn } from './folder.js';

/** The standard cache of hf:// locations, and whether the network may be used. Asks nobody. */
export function checkHubCache(environment: NodeJS.ProcessEnv = process.env): Finding {
  const folder = hubCacheFolder(environment);
  const { isOffline } = hubAccess(environment);
  const network = isOffline ? ', offline (HF_HUB_OFFLINE)' : '';
  try {
    return ok('hub cache', `${folder}: ${gibibytes(roomIn(folder))} free${network}`);
  } catch (error) {
    const found = `${folder} cannot be written: ${reasonOf(error)}${network}`;
    if (isOffline) return ok('hub cache', found); // What lies there is read, and nothing is fetched.
    return warning('hub cache', found, 'hf:// downloads go there: set HF_HOME to a folder that can be written');
  }
}

const PATIENCE_MS = 10_000;

/** Asks the hub for one model's name. */
export async function checkHub(environment: NodeJS.ProcessEnv = process.env): Promise<Finding> {
  const { endpoint, token, isOffline } = hubAccess(environment);
  if (isOffline) return ok('hub', 'not asked: HF_HUB_OFFLINE is set');
  const remedy = 'download elsewhere and copy the hub cache here; HF_ENDPOINT names a mirror';
  try {
    const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const { ok: isFine, status } = await fetch(`${endpoint}/api/models?limit=1`, { headers, signal });
    if (isFine) return ok('hub', `${endpoint} answers${token ? ', and takes HF_TOKEN' : ''}`);
    if (status === 401 && token)
      return warning('hub', `${endpoint} refuses HF_TOKEN`, 'set HF_TOKEN to a token that is valid');
    return warning('hub', `${endpoint} answers with status ${status}`, remedy);
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    return warning('hub', `${endpoint} cannot be reached: ${reasonOf(cause ?? error)}`, remedy);
  }
}
