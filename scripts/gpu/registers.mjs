// Compiles every kernel for sm_90 and keeps what ptxas reports of each: node scripts/gpu/registers.mjs
// Writes benchmarks/results/cuda-registers.csv; needs nvcc.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const folder = join(root, 'native', 'cuda');
const scratch = mkdtempSync(join(tmpdir(), 'lethe-registers-'));
const flags = ['-std=c++17', '-arch=sm_90', '--expt-relaxed-constexpr', '-Xptxas=-v', '-Xcompiler=-fPIC'];
const includes = ['device', '..', '../include'].map((path) => `-I${join(folder, path)}`);

/** A mangled name as the kernel's own and its template arguments. */
function readable(mangled) {
  const { stdout } = spawnSync('c++filt', [mangled], { encoding: 'utf8' });
  const name = (stdout || mangled).trim().replace(/\(anonymous namespace\)::|_GLOBAL__N__\w+::|lethe::cuda::/g, '');
  return name.replace(/^void /, '').replace(/\(.*$/s, '');
}

const rows = ['file,kernel,registers,spill_store_bytes,spill_load_bytes,static_shared_bytes'];
for (const file of readdirSync(folder).filter((name) => name.endsWith('.cu'))) {
  const args = [...flags, ...includes, '-c', join(folder, file), '-o', join(scratch, 'kernel.o')];
  const { status, stderr } = spawnSync('nvcc', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`nvcc failed on ${file}: ${stderr}`);
  let kernel;
  let spills = ['0', '0'];
  for (const line of stderr.split('\n')) {
    const entry = /Compiling entry function '(\w+)'/.exec(line);
    const spill = /(\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line);
    const used = /Used (\d+) registers/.exec(line);
    if (entry) kernel = readable(entry[1]);
    if (spill && kernel) spills = spill.slice(1);
    if (used && kernel) {
      const shared = /(\d+) bytes smem/.exec(line)?.[1] ?? 0;
      rows.push([file, `"${kernel}"`, used[1], ...spills, shared].join(','));
      kernel = undefined;
    }
  }
}
rmSync(scratch, { recursive: true });
writeFileSync(join(root, 'benchmarks', 'results', 'cuda-registers.csv'), `${rows.join('\n')}\n`);
process.stdout.write(`${rows.length - 1} kernels\n`);
