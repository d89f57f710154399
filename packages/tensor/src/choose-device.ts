import { probeCuda } from './probe-cuda.js';

/** A device that `auto` chose, and where it is not the GPU, why. */
export interface Choice {
  device: 'lethe-cuda' | 'lethe-cpu';
  reason?: string;
}

let chosen: Choice | undefined;

/** The GPU where a probe in a child process finds one, otherwise the CPU; asked once per process. */
export function chooseDevice(probe: () => string | undefined = probeCuda): Choice {
  if (!chosen) {
    const reason = probe();
    chosen = reason === undefined ? { device: 'lethe-cuda' } : { device: 'lethe-cpu', reason };
  }
  return chosen;
}
