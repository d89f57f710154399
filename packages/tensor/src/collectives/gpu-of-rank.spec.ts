import { gpuOfRank } from './gpu-of-rank.js';

const places = ['a', 'a', 'b', 'a', 'b'].map((host, pid) => ({ host, pid }));
const all = (environment: Record<string, string> = {}): (number | undefined)[] =>
  places.map((_, rank) => gpuOfRank({ rank, size: places.length, places }, environment));

it('the ranks of a machine take one GPU each', () => {
  expect(all()).toEqual([0, 1, 0, 2, 1]);
  expect(all({ CUDA_VISIBLE_DEVICES: '4,5,6' })).toEqual([0, 1, 0, 2, 1]);
});

it('what was chosen stays, and a process alone has what it had', () => {
  expect(all({ LETHE_CUDA_DEVICE: '3' })).toEqual(Array(5).fill(undefined));
  expect(all({ CUDA_VISIBLE_DEVICES: '2' })).toEqual(Array(5).fill(undefined));
  expect(gpuOfRank({ rank: 0, size: 1, places }, {})).toBeUndefined();
});
