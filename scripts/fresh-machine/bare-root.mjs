// A bare Debian root: mmdebstrap's minbase, CA certificates, git, this machine's Node with npm, and how this machine
// reaches its registries (apt's and npm's configuration, certificates, proxies). Nothing else, so what set-up installs
// is what a new user's machine lacks.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Runs a command to its end. @throws with its output where it fails. */
export function must(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? ''}${stderr ?? ''}${stdout ?? ''}`);
  return stdout;
}

/** Debian's mirror of this machine, where its apt sources name one: the first address that ends with /debian. Else mmdebstrap's. */
function mirror() {
  const folder = '/etc/apt/sources.list.d';
  const files = [
    '/etc/apt/sources.list',
    ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []),
  ];
  const text = files
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  return /^[^#\n]*?(https?:\/\/\S+\/debian)\/?\s/m.exec(text)?.[1];
}

/** Makes the archive that {@link unpackRoot} unpacks: about a minute. */
export function makeRootArchive(release, archive) {
  must('mmdebstrap', [
    '--variant=minbase',
    '--include=ca-certificates,git',
    release,
    archive,
    ...[mirror()].filter(Boolean),
  ]);
}

/** The variables by which programs here find certificates and proxies, and npm its registry. */
export function networkVariables() {
  const names =
    /^(https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|npm_config_(registry|cafile|https?_proxy))$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => names.test(name)));
}

/** Unpacks an archive into `root`, an empty folder, and adds Node, npm and this machine's way to its registries. */
export function unpackRoot(archive, root) {
  mkdirSync(root, { recursive: true });
  must('tar', ['-xf', archive, '-C', root, '--exclude=./dev/*']);
  const put = (from, to) => {
    if (!existsSync(from)) return;
    rmSync(join(root, to), { recursive: true, force: true });
    mkdirSync(dirname(join(root, to)), { recursive: true });
    cpSync(realpathSync(from), join(root, to), { recursive: true });
  };
  put(process.execPath, 'usr/local/bin/node');
  putNpm(root);
  put('/etc/resolv.conf', 'etc/resolv.conf');
  put('/etc/hosts', 'etc/hosts');
  put('/etc/ssl/certs/ca-certificates.crt', 'etc/ssl/certs/ca-certificates.crt');
  for (const name of ['apt.conf', 'apt.conf.d']) put(join('/etc/apt', name), join('etc/apt', name));
  for (const value of Object.values(networkVariables()))
    if (value.startsWith('/') && existsSync(value) && statSync(value).isFile()) put(value, value);
  writeNpmConfiguration(root);
  must('chroot', [root, 'useradd', '--create-home', '--shell', '/bin/bash', 'lethe']);
}

function putNpm(root) {
  const npm = dirname(dirname(realpathSync(must('sh', ['-c', 'command -v npm']).trim())));
  cpSync(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  for (const name of ['npm', 'npx'])
    must('ln', ['-sf', `../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name)]);
}

/** Registry, certificates and proxies only: other settings of this machine's user are not a new user's. */
function writeNpmConfiguration(root) {
  const npmrc = join(homedir(), '.npmrc');
  const kept =
    /^(registry|cafile|https?-proxy|proxy|noproxy|\/\/|omit-lockfile-registry-resolved|replace-registry-host)/;
  const lines = existsSync(npmrc)
    ? readFileSync(npmrc, 'utf8')
        .split('\n')
        .filter((line) => kept.test(line))
    : [];
  for (const key of ['registry', 'cafile', 'https-proxy', 'proxy'])
    if (!lines.some((line) => line.startsWith(key))) {
      const value = must('npm', ['config', 'get', key]).trim();
      if (value !== 'null' && value !== 'undefined') lines.push(`${key}=${value}`);
    }
  mkdirSync(join(root, 'usr/local/etc'), { recursive: true });
  writeFileSync(join(root, 'usr/local/etc/npmrc'), `${lines.join('\n')}\n`);
}
