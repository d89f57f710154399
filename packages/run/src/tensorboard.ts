import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from './atomic-file.js';
import { type Clock, systemClock } from './clock.js';
import { closingOnError } from './closing-on-error.js';
import { crc32c } from './crc32c.js';
import { writing } from './write-error.js';

// Event files are TFRecords of `Event` protocol buffers (tensorflow/core/util/event.proto). Fields used:
// Event: 1 wall_time double, 2 step int64, 3 file_version string, 5 summary, 7 session_log
// Summary: 1 repeated value { 1 tag string, 2 simple_value float }; SessionLog: 1 status (1 = START)
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Writes scalars that TensorBoard shows. */
export interface TensorBoardWriter {
  /** Adds one point to each named curve; non-finite values are drawn by TensorBoard as gaps. */
  scalars(step: number, values: Readonly<Record<string, number>>): void;
  close(): void;
}

/**
 * Opens a new event file in `folder`. TensorBoard discards points of step `fromStep` or later in the folder's older
 * files, so that a resumed run shows one curve.
 */
export function openTensorBoard(folder: string, fromStep = 0, clock: Clock = systemClock): TensorBoardWriter {
  makeFolder(folder);
  const seconds = () => clock.now() / 1000;
  // A file name per opening: seconds sort the files, the step and process id tell two of one second apart.
  const stamp = String(Math.floor(seconds())).padStart(10, '0');
  const file = join(folder, `events.out.tfevents.${stamp}.lethe.${process.pid}.${fromStep}`);
  const handle = writing(file, () => openSync(file, 'a'));
  const write = (step: number, payload: Buffer) => {
    const wallTime = Buffer.alloc(8);
    wallTime.writeDoubleLE(seconds());
    const event = Buffer.concat([field(1, FIXED64, wallTime), field(2, VARINT, varint(step)), payload]);
    const bytes = frameRecord(event);
    writing(file, () => writeSync(handle, bytes), bytes.length);
  };
  const close = (): void => closeSync(handle);
  closingOnError(close, () => {
    write(0, bytesField(3, Buffer.from('brain.Event:2')));
    if (fromStep > 0) write(fromStep, bytesField(7, field(1, VARINT, varint(1))));
  });
  return { scalars: (step, values) => write(step, bytesField(5, encodeSummary(values))), close };
}

/** Frames one TFRecord: length (uint64), its masked CRC-32C, the bytes, their masked CRC-32C; little endian. */
export function frameRecord(bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(12);
  header.writeBigUInt64LE(BigInt(bytes.length));
  header.writeUInt32LE(maskedCrc(header.subarray(0, 8)), 8);
  const footer = Buffer.alloc(4);
  footer.writeUInt32LE(maskedCrc(bytes));
  return Buffer.concat([header, bytes, footer]);
}

/** Rotated and offset, since a CRC of data that holds CRCs is weak. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function encodeSummary(values: Readonly<Record<string, number>>): Buffer {
  return Buffer.concat(
    Object.entries(values).map(([tag, value]) => {
      const simpleValue = Buffer.alloc(4);
      simpleValue.writeFloatLE(value);
      return bytesField(1, Buffer.concat([bytesField(1, Buffer.from(tag)), field(2, FIXED32, simpleValue)]));
    }),
  );
}

const field = (number: number, wireType: number, content: Buffer): Buffer =>
  Buffer.concat([varint((number << 3) | wireType), content]);

const bytesField = (number: number, content: Buffer): Buffer =>
  field(number, BYTES, Buffer.concat([varint(content.length), content]));

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
