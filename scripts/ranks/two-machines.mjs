// Two machines in one: network namespaces with a link of a rate and a delay between them, in each a rank of a command:
//   node scripts/ranks/two-machines.mjs [--mbits 1000] [--delay-ms 1] -- COMMAND...
//   node scripts/ranks/two-machines.mjs --check        # whether it can be done here
// Needs root, Open MPI, `ip`, /dev/net/tun and python3.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const LINK = fileURLToPath(new URL('link.py', import.meta.url));
const NAMES = [`lethe-a-${process.pid}`, `lethe-b-${process.pid}`];
const DEVICES = ['lethe-a', 'lethe-b'];
const ADDRESSES = ['10.77.77.1', '10.77.77.2'];
const MTU = 9000;

function demand(command, ...args) {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

const ip = (...args) => demand('ip', ...args);

/** What a device is told of its rate: what it has not sent yet, the socket still holds, as with a network card. */
const shaper = (device, mbits) =>
  `qdisc add dev ${device} root tbf rate ${mbits}mbit burst 256kb limit 16mb`.split(' ');

/** Why there can be no two machines here; undefined where there can. */
export function whyNot() {
  if (process.getuid() !== 0) return 'not root';
  for (const [command, ...args] of [
    ['mpirun', '--version'],
    ['ip', '-V'],
    ['python3', '-c', 'open("/dev/net/tun", "r+b", 0)'],
    ['unshare', '--version'],
    ['tc', '-V'],
  ]) {
    const { status, error } = spawnSync(command, args);
    if (error || status !== 0) return `${command} ${args.join(' ')} failed`;
  }
  if (spawnSync('ip', ['netns', 'add', NAMES[0]]).status !== 0) return 'no network namespaces';
  const { status } = spawnSync('tc', ['-n', NAMES[0], ...shaper('lo', 1000)]);
  ip('netns', 'del', NAMES[0]);
  return status === 0 ? undefined : 'no token buckets (tc qdisc: tbf)';
}

/** Starts the process that carries packets from device to device. */
async function carry(delayMs) {
  const link = spawn('python3', [LINK, ...DEVICES, String(delayMs)], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    link.stdout.once('data', resolve);
    link.once('exit', () => reject(new Error('the link has ended')));
  });
  return link;
}

/**
 * Makes two machines, `mbits` Mbit/s and `delayMs` each way apart; calls `use` with what starts a job, and with the process
 * that is the link: none without a delay, where the kernel is the link.
 */
export async function withTwoMachines({ mbits, delayMs }, use) {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-machines-'));
  const agent = join(folder, 'agent.sh');
  writeFileSync(
    agent,
    // Open MPI's launcher: AGENT HOST COMMAND. A name of its own, or the ranks would share memory.
    `#!/bin/sh\nshift\nexec ip netns exec ${NAMES[1]} unshare --uts sh -c "hostname ${DEVICES[1]}; $*"\n`,
  );
  chmodSync(agent, 0o755);
  let link;
  const stop = new AbortController();
  const end = () => stop.abort();
  process.on('SIGINT', end).on('SIGTERM', end);
  try {
    for (const name of NAMES) ip('netns', 'add', name);
    if (delayMs > 0) {
      link = await carry(delayMs);
      for (const [i, name] of NAMES.entries()) ip('link', 'set', DEVICES[i], 'netns', name);
    } else {
      ip('link', 'add', DEVICES[0], 'netns', NAMES[0], 'type', 'veth', 'peer', 'name', DEVICES[1], 'netns', NAMES[1]);
    }
    for (const [i, name] of NAMES.entries()) {
      ip('-n', name, 'link', 'set', 'lo', 'up');
      ip('-n', name, 'link', 'set', DEVICES[i], 'mtu', String(MTU), 'up');
      demand('tc', '-n', name, ...shaper(DEVICES[i], mbits));
      ip('-n', name, 'address', 'add', ADDRESSES[i], 'peer', ADDRESSES[1 - i], 'dev', DEVICES[i]);
    }
    return await use((...command) => job(agent, command, stop.signal), link?.pid);
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    link?.kill();
    for (const name of NAMES) spawnSync('ip', ['netns', 'del', name]);
    rmSync(folder, { recursive: true });
  }
}

/** Ends what still runs on either machine: Open MPI's daemon on the other one outlives a job that was ended, and holds its output. */
function endRest() {
  for (const name of NAMES) {
    const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
    for (const pid of stdout.split(/\s+/).filter(Boolean)) spawnSync('kill', ['-KILL', pid]);
  }
}

/** Runs a command as two ranks, one on each machine. @returns what it said. @throws Error where it failed or `signal` ended it. */
async function job(agent, command, signal) {
  const net = `${ADDRESSES[0].replace(/\d+$/, '0')}/24`;
  const settings = {
    plm_rsh_agent: agent,
    orte_keep_fqdn_hostnames: '1',
    oob_tcp_if_include: net,
    btl_tcp_if_include: net,
    btl: 'tcp,self',
    pml: 'ob1',
  };
  const mca = Object.entries(settings).flatMap(([key, value]) => ['--mca', key, value]);
  const mpirun = ['mpirun', '--allow-run-as-root', '--bind-to', 'none', ...mca, '--host', ADDRESSES.join(), '-np', '2'];
  const args = ['netns', 'exec', NAMES[0], 'unshare', '--uts', 'sh', '-c', `hostname ${DEVICES[0]}; exec "$@"`, 'sh'];
  const child = spawn('ip', [...args, ...mpirun, ...command], { stdio: ['ignore', 'pipe', 'pipe'], signal });
  child.on('error', () => {}); // Its end is told by `close` in any case.
  child.once('exit', endRest);
  const [stdout, stderr, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once('close', resolve)),
  ]);
  if (signal.aborted) throw new Error('stopped by a signal');
  if (status !== 0) throw new Error(`mpirun ${command.join(' ')}: ${status}\n${stdout}${stderr}`);
  return stdout;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = {
    mbits: { type: 'string', default: '1000' },
    'delay-ms': { type: 'string', default: '1' },
    check: { type: 'boolean' },
  };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const reason = whyNot();
  if (reason) {
    process.stderr.write(`no two machines here: ${reason}\n`);
    process.exitCode = 1;
  } else if (!values.check) {
    const network = { mbits: Number(values.mbits), delayMs: Number(values['delay-ms']) };
    process.stdout.write(await withTwoMachines(network, (run) => run(...positionals)));
  }
}
