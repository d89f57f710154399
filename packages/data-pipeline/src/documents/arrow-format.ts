import { RecordBatchReader } from 'apache-arrow';
import type { Format, RawRow } from './format.js';

const FILE_MAGIC = Buffer.from('ARROW1\0\0', 'latin1');
const STREAM_MAGIC = Buffer.from([0xff, 0xff, 0xff, 0xff]);

/** Arrow IPC, stream (as Hugging Face `datasets` caches it) or file. Rows are numbered from 1. */
export const arrow: Format = {
  name: 'arrow',
  detect: (head) => head.subarray(0, 4).equals(STREAM_MAGIC) || head.subarray(0, 8).equals(FILE_MAGIC),
  read: readArrow,
};

async function* readArrow(chunks: AsyncIterable<Buffer>): AsyncGenerator<RawRow> {
  const reader = await RecordBatchReader.from(withoutFileMagic(chunks));
  let line = 0;
  for await (const batch of reader) {
    for (let i = 0; i < batch.numRows; i++) yield { line: ++line, value: plain(batch.get(i)?.toJSON()) };
  }
}

/** An Arrow file is the magic, then the stream, then a footer that readers of the stream never reach. */
async function* withoutFileMagic(chunks: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of chunks) {
    const isFile = isFirst && chunk.subarray(0, 8).equals(FILE_MAGIC);
    // Arrow reads 8-byte aligned views, and pooled buffers start anywhere: copy.
    yield new Uint8Array(isFile ? chunk.subarray(8) : chunk);
    isFirst = false;
  }
}

/** Arrow vectors and structs as plain lists and objects. */
function plain(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  const { toJSON } = value as { toJSON?: () => unknown };
  const json = typeof toJSON === 'function' ? toJSON.call(value) : value;
  if (Array.isArray(json)) return json.map(plain);
  if (json === null || typeof json !== 'object' || ArrayBuffer.isView(json)) return json;
  return Object.fromEntries(Object.entries(json).map(([key, entry]) => [key, plain(entry)]));
}
