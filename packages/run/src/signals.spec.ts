import { EventEmitter } from 'node:events';
import { EXIT_CODES } from './exit-codes.js';
import { listenForStop } from './signals.js';

function fakeProcess() {
  const codes: number[] = [];
  return Object.assign(new EventEmitter(), { codes, exit: (code: number) => codes.push(code) });
}

describe('listenForStop', () => {
  it('records the first signal and ends at the second, with its code', () => {
    const source = fakeProcess();
    const told: string[] = [];
    const stop = listenForStop((signal) => told.push(signal), source);
    expect(stop.requested).toBeUndefined();
    source.emit('SIGTERM');
    expect(stop.requested).toBe('SIGTERM');
    expect([told, source.codes]).toEqual([['SIGTERM'], []]);
    source.emit('SIGINT');
    expect([stop.requested, source.codes]).toEqual(['SIGTERM', [130]]);
  });

  it('stops listening', () => {
    const source = fakeProcess();
    listenForStop(undefined, source).dispose();
    expect(source.emit('SIGINT')).toBe(false);
    expect(EXIT_CODES.SIGTERM).toBe(143);
  });
});
