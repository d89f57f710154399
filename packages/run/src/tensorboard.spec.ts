import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manualClock } from './clock.js';
import { crc32c } from './crc32c.js';
import { frameRecord, openTensorBoard } from './tensorboard.js';

/** Reads TFRecords, checking both checksums of each. */
function readRecords(file: Buffer): Buffer[] {
  const records: Buffer[] = [];
  const unmask = (masked: number) => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated << 15) | (rotated >>> 17)) >>> 0;
  };
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    expect(unmask(file.readUInt32LE(at + 8))).toBe(crc32c(file.subarray(at, at + 8)));
    const bytes = file.subarray(at + 12, at + 12 + length);
    expect(unmask(file.readUInt32LE(at + 12 + length))).toBe(crc32c(bytes));
    records.push(bytes);
    at += 16 + length;
  }
  return records;
}

describe('crc32c', () => {
  // RFC 3720, appendix B.4, and the usual check value.
  it.each([
    [Buffer.from('123456789'), 0xe3069283],
    [Buffer.alloc(32), 0x8a9136aa],
    [Buffer.alloc(32, 0xff), 0x62a8ab43],
    [Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ])('of %j', (bytes, expected) => expect(crc32c(bytes)).toBe(expected));
});

describe('openTensorBoard', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tensorboard-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('writes a version, a session start when resumed, and scalars', () => {
    const writer = openTensorBoard(folder, 300, manualClock(1500));
    writer.scalars(301, { 'loss/replay': 0.5 });
    writer.close();
    const [name] = readdirSync(folder);
    expect(name).toMatch(/^events\.out\.tfevents\.0000000001\./);
    const wallTime = '09000000000000f83f'; // field 1, the double 1.5
    expect(readRecords(readFileSync(join(folder, name))).map((record) => record.toString('hex'))).toEqual([
      `${wallTime}1000${'1a0d'}${Buffer.from('brain.Event:2').toString('hex')}`,
      `${wallTime}10ac02${'3a020801'}`,
      `${wallTime}10ad02${'2a14'}${'0a12'}${'0a0b'}${Buffer.from('loss/replay').toString('hex')}${'150000003f'}`,
    ]);
  });

  it('frames a record as TensorFlow does', () => {
    // The version record that TensorFlow writes, apart from its time, begins with this length and checksum.
    expect(frameRecord(Buffer.alloc(24)).subarray(0, 12).toString('hex')).toBe('1800000000000000a37f4b22');
  });
});
