// A package of packages/ as its users get it: compiled files and their types, README, licence, what `ships` names.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/**
 * What of dist/ a user can use: no specs, no maps of sources that are not there, no state of the compiler; and nothing
 * whose source has been moved or removed, which the compiler leaves behind.
 */
const isShipped = (folder) => (file) => {
  if (statSync(file).isDirectory()) return true;
  const [, stem] = /^(.*?)(?:\.d\.ts|\.js)$/.exec(relative(join(folder, 'dist'), file)) ?? [];
  return stem !== undefined && !stem.endsWith('.spec') && existsSync(join(folder, 'src', `${stem}.ts`));
};

/** Fields of every published package. */
export function publicManifest(root, manifest) {
  const { private: _private, nx: _nx, ships = [], binary: _binary, bin: _bin, ...rest } = manifest;
  const { license, engines } = readJson(join(root, 'package.json'));
  const exports = Object.fromEntries(
    Object.entries(rest.exports).map(([path, { '@lethe/source': _source, ...conditions }]) => [path, conditions]),
  );
  // In the repository the command is cli's, which builds first; a published one is that of the package that ships it.
  const bin = ships.includes('bin') ? { bin: { [rest.name]: `bin/${rest.name}.mjs` } } : {};
  return { ...rest, ...bin, license, engines, exports, publishConfig: { access: 'public' } };
}

/** Writes manifest, README and licence into a staged folder. @throws where a package has no README or no description. */
export function writeFront(root, { folder, to, manifest }) {
  const readme = join(folder, 'README.md');
  if (!existsSync(readme)) throw new Error(`${readme} is missing: a published package has one, with an example`);
  if (!manifest.description) throw new Error(`${folder}/package.json has no description`);
  cpSync(readme, join(to, 'README.md'));
  cpSync(join(root, 'LICENSE'), join(to, 'LICENSE'));
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Copies the compiled files of `folder`. */
export function copyCompiled(folder, to) {
  mkdirSync(to, { recursive: true });
  cpSync(join(folder, 'dist'), join(to, 'dist'), { recursive: true, filter: isShipped(folder) });
  stripSourceMapComments(join(to, 'dist'));
}

function stripSourceMapComments(folder) {
  for (const entry of readdirSync(folder, { recursive: true })) {
    const file = join(folder, entry);
    if (!/\.(js|ts)$/.test(file)) continue;
    writeFileSync(file, readFileSync(file, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'));
  }
}

/** Stages packages/`name` in `to`, and gives `to`. `ships` of its package.json names further files and folders. */
export function stagePackage(root, name, to) {
  const folder = join(root, 'packages', name);
  const manifest = readJson(join(folder, 'package.json'));
  copyCompiled(folder, to);
  for (const path of manifest.ships ?? []) cpSync(join(folder, path), join(to, path), { recursive: true });
  writeFront(root, { folder, to, manifest: publicManifest(root, manifest) });
  return to;
}
