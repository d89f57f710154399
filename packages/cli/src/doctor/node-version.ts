import { readFileSync } from 'node:fs';
import { type Finding, ok, problem } from './finding.js';

const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  engines: { node: string };
};

/** Node against the oldest one that Lethe runs on, `>=20.11`. */
export function checkNode(version = process.versions.node, required = engines.node): Finding {
  const [wanted, received] = [required.replace('>=', ''), version].map((text) => text.split('.').map(Number));
  const [major, minor] = wanted;
  const isEnough = received[0] > major || (received[0] === major && received[1] >= minor);
  if (isEnough) return ok('node', `${version} (needs ${required})`);
  return problem('node', `${version}, needs ${required}`, 'install it: https://nodejs.org, or `nvm install 20`');
}
