import { RecordBatchReader } from 'apache-arrow';
import { boundMetadataLists, boundValues } from './arrow-bounds.js';
import { registerArrowCodecs } from './arrow-codecs.js';
import { plainRow } from './arrow-values.js';
import type { Format, RawRow } from './format.js';

const FILE_MAGIC = Buffer.from('ARROW1\0\0', 'latin1');
/** Largest Arrow file (not stream) that is read. */
const MAX_FILE_BYTES = 2 ** 30;
const STREAM_MAGIC = Buffer.from([0xff, 0xff, 0xff, 0xff]);

/** Arrow IPC, stream (as Hugging Face `datasets` caches it) or file. Rows are numbered from 1. */
export const arrow: Format = {
  name: 'arrow',
  detect: (head) => head.subarray(0, 4).equals(STREAM_MAGIC) || head.subarray(0, 8).equals(FILE_MAGIC),
  read: readArrow,
};

async function* readArrow(chunks: AsyncIterable<Buffer>): AsyncGenerator<RawRow> {
  boundMetadataLists();
  registerArrowCodecs();
  const iterator = chunks[Symbol.asyncIterator]();
  const head = (await iterator.next()).value as Buffer;
  async function* all(): AsyncGenerator<Uint8Array> {
    // Arrow reads 8-byte aligned views, and pooled buffers start anywhere: copy.
    try {
      yield new Uint8Array(head);
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield new Uint8Array(next.value);
    } finally {
      await iterator.return?.();
    }
  }
  const isFile = head.subarray(0, 8).equals(FILE_MAGIC);
  const batches = isFile ? RecordBatchReader.from(await wholeFile(all())) : await RecordBatchReader.from(all());
  let line = 0;
  for await (const batch of batches) {
    boundValues(batch.data);
    for (let i = 0; i < batch.numRows; i++)
      yield { line: ++line, value: plainRow(batch.get(i)!.toJSON(), batch.schema.fields) };
  }
}

/** A stream is read as it comes; a file's directory is at its end, so it is read whole. */
async function wholeFile(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let numBytes = 0;
  for await (const piece of chunks) {
    pieces.push(piece);
    numBytes += piece.length;
    if (numBytes > MAX_FILE_BYTES) {
      throw new Error(`an Arrow file of more than ${MAX_FILE_BYTES} bytes; write it in the stream format`);
    }
  }
  return new Uint8Array(Buffer.concat(pieces));
}
