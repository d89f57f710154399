// Run by addon.spec.ts in a process of its own: jest's module registry has no worker threads. Workers make buffers, run
// an operator and end in different ways without releasing anything; the ids of one thread mean nothing in another.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

const addon = createRequire(import.meta.url)(fileURLToPath(new URL('../build/Release/lethe.node', import.meta.url)));
const [cpu, fill] = [1, addon.operators().findIndex((op) => op.name === 'fill')];

function makeBuffers() {
  const buffers = Array.from({ length: 20 }, () => addon.alloc(cpu, 1 << 20));
  for (const buffer of buffers) addon.run(cpu, fill, 1 << 18, buffer, 1);
  return buffers;
}

if (isMainThread) {
  const [mine] = makeBuffers();
  const ends = [0, 1, 2, 3].map(
    (how) =>
      new Promise((resolve, reject) => {
        const worker = new Worker(new URL(import.meta.url), { workerData: { how, mine } });
        worker.on('error', (error) => (how === 2 && error.message === 'on purpose' ? resolve() : reject(error)));
        worker.on('exit', resolve);
        if (how === 3) setTimeout(() => worker.terminate(), 50);
      }),
  );
  await Promise.all(ends);
  addon.release(mine);
  process.stdout.write('ok\n');
} else {
  makeBuffers();
  let refused = false;
  try {
    addon.release(workerData.mine);
  } catch (error) {
    refused = error.code === 'invalid_argument';
  }
  if (!refused) throw new Error("a worker released another thread's buffer");
  if (workerData.how === 1) process.exit(0);
  if (workerData.how === 2) throw new Error('on purpose');
  while (workerData.how === 3) makeBuffers().forEach((buffer) => addon.release(buffer));
}
