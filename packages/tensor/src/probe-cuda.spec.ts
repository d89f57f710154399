import { probeCuda } from './probe-cuda.js';

describe('probeCuda', () => {
  it('says in one line why there is no GPU, or finds one', () => {
    const reason = probeCuda();
    if (reason === undefined) return; // There is a GPU.
    expect(reason).toMatch(/^\[cuda\] .*cuda/i);
    expect(reason).not.toContain('\n');
  }, 60_000);

  it.each([
    [{ status: 0, signal: null, stdout: 'available' }, undefined],
    [
      { status: 0, signal: null, stdout: '[alloc] the GPU has no 8 bytes left\nmore' },
      '[alloc] the GPU has no 8 bytes left',
    ],
    [{ status: null, signal: 'SIGSEGV', stdout: '' }, 'opening the GPU ended the process (SIGSEGV)'],
    [{ status: 3, signal: null, stdout: '' }, 'opening the GPU ended the process (status 3)'],
    [{ status: null, signal: 'SIGTERM', stdout: '' }, 'opening the GPU took more than 60 s'],
  ] as const)('reads what the child left: %j', (result, reason) => {
    expect(probeCuda(4, () => result)).toBe(reason);
  });
});
