import type { Collectives } from './collectives.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The number of the GPU of a rank, among those that its process sees: the ranks of a machine take one each. Undefined
 * where somebody has chosen: LETHE_CUDA_DEVICE, or a launcher that shows each rank one GPU.
 */
export function gpuOfRank(
  { rank, size, places }: Pick<Collectives, 'rank' | 'size' | 'places'>,
  { LETHE_CUDA_DEVICE, CUDA_VISIBLE_DEVICES }: Environment = process.env,
): number | undefined {
  const isShownOne = CUDA_VISIBLE_DEVICES !== undefined && !CUDA_VISIBLE_DEVICES.includes(',');
  if (size === 1 || LETHE_CUDA_DEVICE !== undefined || isShownOne) return undefined;
  return places.slice(0, rank).filter(({ host }) => host === places[rank].host).length;
}
