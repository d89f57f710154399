import { boundedMessage, plainLine, plainText, shortened } from './plain-text.js';

describe('plainText', () => {
  it.each([
    ['\u001b[31mred\u001b[0m', String.raw`\u{1b}[31mred\u{1b}[0m`],
    ['a\rb\bc', String.raw`a\u{d}b\u{8}c`],
    ['\u009b2J \u007f', String.raw`\u{9b}2J \u{7f}`],
    ['\u202egnp.exe\u2066', String.raw`\u{202e}gnp.exe\u{2066}`],
    ['lines\n\tstay, é 漢 😀 too', 'lines\n\tstay, é 漢 😀 too'],
  ])('%j', (text, expected) => expect(plainText(text)).toBe(expected));
});

describe('plainLine', () => {
  it('is one line of bounded length', () => {
    expect(plainLine('a\n200 ms\tb')).toBe(String.raw`a\n200 ms\tb`);
    const long = plainLine(`begin${'x\n'.repeat(10_000)}end`, 60);
    expect(long).toMatch(/^beginx\\n.* \[\d+ characters left out\] .*end$/);
    expect(long.length).toBeLessThan(100);
    expect(shortened('short', 5)).toBe('short');
  });
});

describe('boundedMessage', () => {
  it('keeps what messages have, and bounds what they quote', () => {
    const message = 'recipe.yaml: two problems\n  a: expected 1\n  b: expected 2';
    expect(boundedMessage(message)).toBe(message);
    expect(boundedMessage(`f: received ${'y'.repeat(9000)}; leave it out`)).toMatch(
      /^f: .* left out\] .*; leave it out$/,
    );
    const path = `/long/${'x'.repeat(5000)}`;
    expect(boundedMessage(`${path}: no such file; check the path`)).toMatch(
      /^\/long\/x.{70,160}: no such file; check the path$/,
    );
    expect(boundedMessage('x'.repeat(159))).toBe('x'.repeat(159));
    const many = boundedMessage(Array.from({ length: 100 }, (_, i) => `line ${i}`).join('\n'));
    expect(many.split('\n')).toHaveLength(41);
    expect(many).toContain('[60 lines left out]');
  });
});
