import { StopMatcher } from './stop-matcher.js';

/** What is shown after each piece, and at the end. */
function run(stops: string[], pieces: string[]): { shown: string[]; isStopped: boolean } {
  const matcher = new StopMatcher(stops);
  const shown: string[] = [];
  for (const piece of pieces) {
    const { text, isStopped } = matcher.push(piece);
    shown.push(text);
    if (isStopped) return { shown, isStopped };
  }
  return { shown: [...shown, matcher.flush()], isStopped: false };
}

describe('StopMatcher', () => {
  it('finds a stop sequence across pieces, and shows nothing of it', () => {
    expect(run(['END'], ['one E', 'N', 'D two'])).toEqual({ shown: ['one ', '', ''], isStopped: true });
  });

  it('gives out what was held back as soon as it cannot become a stop sequence', () => {
    expect(run(['END'], ['a E', 'NO', 'EN'])).toEqual({ shown: ['a ', 'ENO', '', 'EN'], isStopped: false });
  });

  it('stops at the first of several sequences, whichever is listed first', () => {
    expect(run(['later', '\n\n'], ['x\n\nlater'])).toEqual({ shown: ['x'], isStopped: true });
    expect(run(['bc', 'abc'], ['xabc'])).toEqual({ shown: ['x'], isStopped: true });
  });

  it('holds back the longest beginning of any sequence', () => {
    expect(run(['aab', 'b!'], ['aa', 'ab'])).toEqual({ shown: ['', 'a'], isStopped: true });
    expect(run(['\n\n'], ['a\n', 'b\n', '\n'])).toEqual({ shown: ['a', '\nb', ''], isStopped: true });
  });

  it('agrees with a search of the whole text, however it is cut', () => {
    const text = 'abababcabcacbabcbcab';
    for (const stops of [['abc'], ['bca', 'cac'], ['zz'], ['cbc', 'ab', 'b']]) {
      const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
      const expected = found.length === 0 ? text : text.slice(0, Math.min(...found));
      for (let size = 1; size < 6; size++) {
        const pieces = text.match(new RegExp(`.{1,${size}}`, 'g'))!;
        expect(run(stops, pieces).shown.join('')).toBe(expected);
      }
    }
  });
});
