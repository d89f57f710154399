// Memory of loading the paper's BaseLM in bf16: node benchmarks/loading/run.mjs. Writes a checkpoint of its shape (3.6 GB,
// in the folder for temporary files), loads it in a process of its own, and compares that process's peak with the
// weights' size.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { baselm, exportModelFolder, loadLlama, parameterSpecs } from '@lethe/model';
import { useDevice } from '@lethe/tensor';

if (process.argv[2]) {
  await useDevice('lethe-cpu', 'bf16');
  const started = performance.now();
  const { model } = loadLlama(process.argv[2], { trainable: false });
  const seconds = (performance.now() - started) / 1000;
  const peak = process.resourceUsage().maxRSS * 1024;
  process.stdout.write(JSON.stringify({ seconds, peak, parameters: model.parameters.length }));
  process.exit();
}

const folder = mkdtempSync(join(tmpdir(), 'lethe-loading-'));
try {
  const config = baselm({});
  function* tensors() {
    for (const { name, shape } of parameterSpecs(config)) {
      const data = new Float32Array(shape.reduce((size, length) => size * length, 1)).fill(0.01);
      yield { name, shape, data };
    }
  }
  const out = join(folder, 'baselm');
  await exportModelFolder({ config, tensors: tensors(), out, dtype: 'bfloat16' });
  const { size } = statSync(join(out, 'model.safetensors'));
  const { stdout, stderr, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), out], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  const { seconds, peak } = JSON.parse(stdout);
  const gib = (bytes) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
  process.stdout.write(
    `weights ${gib(size)}, peak resident ${gib(peak)}: ${(peak / size).toFixed(2)}x, in ${seconds.toFixed(1)} s\n`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
