// The native package: its typed face and the sources that build the addon where there is no prebuilt one. And that
// prebuilt package, one for each platform, with the libraries it needs beside the addon.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { copyCompiled, publicManifest, writeFront } from './stage-package.mjs';

/** What the addon is built from; its tests, benchmarks and the CUDA library are built in the repository only. */
const SOURCES = [
  'CMakeLists.txt',
  'cmake',
  'include',
  'core',
  'reference',
  'cpu',
  'cuda_loader',
  'collectives',
  'addon',
];
/** The library that the prebuilt addon needs and a machine may lack: oneDNN, and what Debian's oneDNN needs. */
const BUNDLED = /^(libdnnl|libOpenCL|libgomp)\.so/;

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));
const prebuiltName = () => `@lethe/native-${process.platform}-${process.arch}`;

/** Stages native/ in `to`. */
export function stageNative(root, to) {
  const folder = join(root, 'native');
  const manifest = publicManifest(root, readJson(join(folder, 'package.json')));
  const headers = ['node-addon-api', 'node-api-headers'];
  const { devDependencies } = readJson(join(root, 'package.json'));
  copyCompiled(folder, to);
  for (const path of SOURCES) cpSync(join(folder, path), join(to, path), { recursive: true });
  mkdirSync(join(to, 'cuda/runtime'), { recursive: true });
  cpSync(join(folder, 'cuda/runtime/abi.h'), join(to, 'cuda/runtime/abi.h')); // between the loader and the library
  cpSync(join(root, 'scripts/pack/install-addon.mjs'), join(to, 'install-addon.mjs'));
  cpSync(join(root, 'scripts/setup/phase.mjs'), join(to, 'phase.mjs'));
  Object.assign(manifest, {
    scripts: { install: 'node install-addon.mjs' },
    dependencies: Object.fromEntries(headers.map((name) => [name, devDependencies[name]])),
    optionalDependencies: { [prebuiltName()]: manifest.version },
  });
  writeFront(root, { folder, to, manifest });
  return to;
}

/** The libraries that a program is linked with and that are bundled: [name it is asked for by, file]. */
function bundledLibraries(file) {
  const lines = execFileSync('ldd', [file], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [, name, path] = /^\s*(\S+) => (\S+)/.exec(line) ?? [];
    return name && BUNDLED.test(name) ? [[name, realpathSync(path)]] : [];
  });
}

/** The copyright file of the Debian package that a library comes from. */
function licenceOf(library) {
  const owner = execFileSync('dpkg-query', ['-S', `*/${basename(library)}`], { encoding: 'utf8' });
  return join('/usr/share/doc', owner.split(':')[0], 'copyright');
}

/** Stages the addon as it was built here, for this platform, in `to`. */
export function stagePrebuilt(root, to) {
  const addon = join(root, 'native/build/Release/lethe.node');
  const { version, license, engines } = readJson(join(root, 'package.json'));
  mkdirSync(join(to, 'licences'), { recursive: true });
  cpSync(addon, join(to, 'lethe.node'));
  for (const [name, file] of bundledLibraries(addon)) {
    cpSync(file, join(to, name));
    cpSync(realpathSync(licenceOf(file)), join(to, 'licences', `${name}.txt`));
  }
  const manifest = {
    name: prebuiltName(),
    version,
    description: `The addon of Lethe for ${process.platform} ${process.arch}, with oneDNN`,
    license,
    engines,
    os: [process.platform],
    cpu: [process.arch],
    libc: ['glibc'],
    main: 'lethe.node',
    publishConfig: { access: 'public' },
  };
  cpSync(join(root, 'LICENSE'), join(to, 'LICENSE'));
  writeFileSync(
    join(to, 'README.md'),
    `# ${manifest.name}\n\nThe compiled addon of Lethe (the package \`lethe\`) for ${process.platform} on ${process.arch}. \`@lethe/native\` opens it;\ninstall \`lethe\`, not this. It needs glibc ${glibc(addon)} or newer. \`licences/\` holds those of the libraries beside it.\n`,
  );
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return to;
}

/** The newest version of glibc whose symbols the addon and its libraries ask for. */
function glibc(addon) {
  const files = [addon, ...bundledLibraries(addon).map(([, file]) => file)];
  const versions = files.flatMap((file) =>
    [...readFileSync(file, 'latin1').matchAll(/GLIBC_2\.(\d+)\0/g)].map((found) => Number(found[1])),
  );
  return `2.${Math.max(...versions)}`;
}
