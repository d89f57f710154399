import { chooseDevice } from './choose-device.js';

describe('chooseDevice', () => {
  it('takes the CPU with the reason, and asks once', () => {
    const probe = jest.fn(() => 'there is no CUDA device');
    expect(chooseDevice(probe)).toEqual({ device: 'lethe-cpu', reason: 'there is no CUDA device' });
    expect(chooseDevice(probe).device).toBe('lethe-cpu');
    expect(probe).toHaveBeenCalledTimes(1);
  });
});
