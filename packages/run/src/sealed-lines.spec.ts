import { openLine, sealLine } from './sealed-lines.js';

describe('sealed lines', () => {
  const first = sealLine('{"step":1,"loss":2.5}', '');
  const second = sealLine('{"step":2,"loss":"é"}', first.seal);

  it('are JSON with a checksum, and say what they said', () => {
    expect(JSON.parse(first.line)).toEqual({ step: 1, loss: 2.5, crc: first.seal });
    expect(openLine(first.line, '')).toEqual({ json: '{"step":1,"loss":2.5}', seal: first.seal });
    expect(openLine(second.line, first.seal)).toEqual({ json: '{"step":2,"loss":"é"}', seal: second.seal });
  });

  it('tell of every changed character, and of a line that is missing', () => {
    for (let i = 0; i < second.line.length; i++) {
      const changed = second.line.slice(0, i) + (second.line[i] === '7' ? '8' : '7') + second.line.slice(i + 1);
      expect(() => openLine(changed, first.seal)).toThrow(/checksum/);
    }
    expect(() => openLine(second.line, '')).toThrow('its checksum is another');
  });

  it('may follow lines of before there were checksums, not the other way', () => {
    expect(openLine('{"step":1}', '')).toEqual({ json: '{"step":1}', seal: undefined });
    expect(() => openLine('{"step":2}', first.seal)).toThrow('expected a checksum');
  });
});
