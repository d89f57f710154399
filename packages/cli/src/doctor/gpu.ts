import { spawnSync } from 'node:child_process';
import { probeCuda } from '@lethe/tensor';
import { type Finding, gibibytes, ok, reasonOf, warning } from './finding.js';

/** The GPUs that NVIDIA's driver shows, or why it cannot; neither where there is no driver. */
export interface GpusSeen {
  gpus: string[];
  failure?: string;
}

const QUERY = ['--query-gpu=name,memory.total,memory.free', '--format=csv,noheader,nounits'];

/** Asks nvidia-smi, which comes with the driver. */
export function seeGpus(program = 'nvidia-smi'): GpusSeen {
  const { status, error, stdout, stderr } = spawnSync(program, QUERY, { encoding: 'utf8', timeout: 10_000 });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return { gpus: [] };
  if (status !== 0) return { gpus: [], failure: reasonOf(error ?? (stdout + stderr || `status ${status}`)) };
  const gpus = stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name, total, free] = line.split(', ');
      const [all, unused] = [total, free].map((mebibytes) => gibibytes(Number(mebibytes) * 2 ** 20));
      return `${name} (${unused} of ${all} free)`;
    });
  return { gpus };
}

/** The CUDA library and the GPUs. Having none is no fault. */
export function checkGpu(
  { gpus, failure }: GpusSeen = seeGpus(),
  probe: () => string | undefined = probeCuda,
): Finding {
  const reason = probe()?.replace('[cuda] ', '');
  const seen = gpus.join(', ');
  if (reason === undefined) return ok('gpu', `lethe-cuda opens${seen === '' ? '' : `: ${seen}`}`);
  if (failure !== undefined)
    return warning('gpu', `nvidia-smi: ${failure}`, "repair or remove NVIDIA's driver; lethe-cpu works without");
  if (seen !== '') return warning('gpu', `${seen}, but lethe-cuda does not open`, reason);
  if (process.env.LETHE_CUDA_LIBRARY) return warning('gpu', reason, 'correct or unset LETHE_CUDA_LIBRARY');
  return ok('gpu', `none, and none needed: ${reason.split(': ')[0]}`);
}
