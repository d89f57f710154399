import { manualClock } from './clock.js';
import { formatDuration, remainingSeconds } from './duration.js';
import { createLogger } from './log.js';

function recorder(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  return { written, stream: { isTTY, columns, write: (text: string) => written.push(text) } };
}

describe('createLogger', () => {
  it('writes its level and quieter ones', () => {
    const { written, stream } = recorder(false);
    const log = createLogger({ stream, level: 'warn' });
    log.error('a');
    log.warn('b');
    log.info('c');
    log.debug('d');
    log.progress('e');
    expect(written).toEqual(['error: a\n', 'warn: b\n']);
  });

  it('writes control characters of what it is given as escapes', () => {
    for (const isTTY of [false, true]) {
      const { written, stream } = recorder(isTTY);
      const log = createLogger({ stream, clock: manualClock() });
      log.warn('file \u001b[2J\r.txt');
      log.progress('\u001b]0;title\u0007');
      log.endProgress();
      expect(written.join('')).toContain(String.raw`warn: file \u{1b}[2J\u{d}.txt`);
      expect(written.join('')).toContain(String.raw`\u{1b}]0;title\u{7}`);
      expect(written.join('')).not.toContain('\u0007');
    }
  });

  it('writes plain progress lines, at most one every few seconds, and the last one', () => {
    const { written, stream } = recorder(false);
    const clock = manualClock();
    const log = createLogger({ stream, clock, plainProgressSeconds: 5 });
    for (let step = 0; step < 12; step++) {
      log.progress(`step ${step}`);
      clock.advance(1000);
    }
    log.endProgress();
    log.endProgress();
    expect(written).toEqual(['step 0\n', 'step 5\n', 'step 10\n', 'step 11\n']);
  });

  it('redraws one line on a terminal, cut to its width, below the messages', () => {
    const { written, stream } = recorder(true, 11);
    const clock = manualClock();
    const log = createLogger({ stream, clock });
    log.progress('0123456789abc');
    log.progress('too soon');
    log.info('hello');
    clock.advance(1000);
    log.progress('next');
    log.endProgress();
    log.info('bye');
    const clear = '\r\x1b[K';
    expect(written).toEqual([
      `${clear}0123456789`,
      `${clear}hello\n`,
      `${clear}too soon`,
      `${clear}next`,
      '\n',
      'bye\n',
    ]);
  });
});

describe('durations', () => {
  it.each([
    [0.44, '0.4s'],
    [9.96, '10s'],
    [59.6, '1m00s'],
    [185, '3m05s'],
    [7620, '2h07m'],
    [273600, '3d04h'],
    [NaN, '?'],
    [-1, '?'],
  ])('%d seconds are %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it('extrapolates linearly', () => {
    expect(remainingSeconds(25, 100, 10)).toBe(30);
    expect(remainingSeconds(0, 100, 10)).toBeNaN();
  });
});
