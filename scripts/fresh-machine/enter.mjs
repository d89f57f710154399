// Runs a command inside a root, in namespaces of its own: what it mounts and starts ends with it. The root becomes the
// root of the mount namespace (pivot_root, not chroot alone: the kernel lets no process of a chroot make the user
// namespaces that the sandbox of generated programs needs).
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { networkVariables } from './bare-root.mjs';

const INSIDE = `
set -e
mount --bind "$ROOT" "$ROOT"
cd "$ROOT"
mkdir -p .outside
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
if [ -n "$SHARED" ]; then mkdir -p "$DATA"; mount --bind "$SHARED" "$DATA" && mount -o remount,bind,ro "$DATA"; fi
pivot_root . .outside
exec chroot . /bin/bash -c 'umount -l /.outside; rmdir /.outside; exec "$@"' inside "$@"`;

/** [parent, group, session] of a process; undefined when it is gone. */
function standing(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ').slice(1, 4).map(Number);
  } catch {
    return undefined;
  }
}

/** What Ctrl-C does: SIGINT to the process group of the first new session below `ancestor`. */
function interruptGroup(ancestor) {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const isBelow = (pid) => pid === ancestor || (pid > 1 && isBelow(standing(pid)?.[0] ?? 0));
  const leader = pids.find((pid) => standing(pid)?.[2] === pid && isBelow(pid));
  if (leader === undefined) throw new Error('nothing to interrupt is running');
  process.kill(-leader, 'SIGINT');
}

/**
 * Runs a shell line in `root` as `user` (root or lethe), and gives its exit status and what it printed.
 * @param {{ root: string, user: string, folder: string, line: string, interruptAfter?: RegExp, shared?: string, onText?: (text: string) => void }} options
 * interruptAfter: Ctrl-C is pressed when this has been printed; shared: a folder that is seen read-only beside the checkout.
 */
export function enter({ root, user, folder, line, interruptAfter, shared, onText = () => {} }) {
  const home = user === 'root' ? '/root' : `/home/${user}`;
  const environment = Object.entries({ ...networkVariables(), HOME: home, USER: user, CI: 'true' });
  const words = `env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8`.split(' ');
  words.push(...environment.map(([name, value]) => `${name}=${value}`));
  if (user !== 'root') words.push('setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups');
  words.push('setsid', '--wait', 'bash', '-c', `cd ${folder} && { ${line}\n}`);
  const child = spawn(
    'unshare',
    ['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child', 'bash', '-c', INSIDE, 'root', ...words],
    {
      env: { PATH: process.env.PATH, ROOT: root, SHARED: shared ?? '', DATA: `.${dirname(folder)}/shared` },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let text = '';
  let interrupted = false;
  const read = (part) => {
    text += part;
    onText(part);
    if (interruptAfter && !interrupted && interruptAfter.test(text)) {
      interrupted = true;
      interruptGroup(child.pid);
    }
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', read);
  return new Promise((resolve) => child.on('close', (status, signal) => resolve({ status: status ?? signal, text })));
}
