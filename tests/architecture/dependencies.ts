/** A package that `npm ci` would install. */
export interface LockedPackage {
  path: string;
  name: string;
  version: string;
  license?: string;
  /** Whether only developers install it. */
  isDev: boolean;
  /** Whether it runs a script at installation. */
  hasScript: boolean;
}

/** Licences of what users install: permissive, compatible with Apache-2.0. */
const ALLOWED = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  '0BSD',
  'CC0-1.0',
]);
/** Further ones of tools and data that nobody but developers installs. */
const ALLOWED_FOR_DEVELOPMENT = new Set([...ALLOWED, 'Python-2.0', 'CC-BY-4.0']);

/** Tools of development that fetch or build their binaries when they are installed. */
const WITH_SCRIPTS = new Set(['@parcel/watcher', '@swc/core', 'clang-format-node', 'nx', 'unrs-resolver']);

/** The packages of a package-lock.json, without our own. */
export function lockedPackages(text: string): LockedPackage[] {
  const { packages } = JSON.parse(text) as { packages: Record<string, Record<string, unknown>> };
  return Object.entries(packages).flatMap(([path, entry]) => {
    const [, name] = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? [];
    if (name === undefined || entry['link'] === true) return [];
    return [
      {
        path,
        name,
        version: String(entry['version']),
        license: entry['license'] as string | undefined,
        isDev: entry['dev'] === true,
        hasScript: entry['hasInstallScript'] === true,
      },
    ];
  });
}

/** Packages whose licence is not on the list. */
export function licenceProblems(packages: readonly LockedPackage[]): string[] {
  return packages
    .filter(({ license, isDev }) => !isAllowed(license, isDev ? ALLOWED_FOR_DEVELOPMENT : ALLOWED))
    .map(({ name, version, license }) => `${name}@${version}: ${license ?? 'no licence'}`);
}

/** Expressions as SPDX writes them: of an OR one must be allowed, of an AND all. */
function isAllowed(license: string | undefined, allowed: ReadonlySet<string>): boolean {
  if (license === undefined) return false;
  return license
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((part) => allowed.has(part.trim())));
}

/** Packages that run a script at installation and are not on the list. */
export function scriptProblems(packages: readonly LockedPackage[]): string[] {
  return packages
    .filter(({ name, isDev, hasScript }) => hasScript && !(isDev && WITH_SCRIPTS.has(name)))
    .map(
      ({ name, version, isDev }) =>
        `${name}@${version} runs a script when ${isDev ? 'developers' : 'users'} install it`,
    );
}
