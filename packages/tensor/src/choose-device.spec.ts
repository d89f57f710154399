import { chooseDevice } from './choose-device.js';

describe('chooseDevice', () => {
  it('takes the CPU with the reason, and asks once', () => {
    const probe = jest.fn(() => 'there is no CUDA device');
    expect(chooseDevice(probe)).toEqual({ device: 'lethe-cpu', reason: 'there is no CUDA device' });
    expect(chooseDevice(probe).device).toBe('lethe-cpu');
    expect(probe).toHaveBeenCalledTimes(1);
  });

  it('takes the GPU where the probe finds one', () => {
    jest.isolateModules(() => {
      const anew = jest.requireActual<typeof import('./choose-device.js')>('./choose-device.js');
      expect(anew.chooseDevice(() => undefined)).toEqual({ device: 'lethe-cuda' });
    });
  });
});
