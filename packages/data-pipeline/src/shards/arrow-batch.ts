import {
  Field,
  List,
  makeData,
  RecordBatch,
  RecordBatchReader,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Uint16,
  Uint32,
  Uint8,
  type Data,
} from 'apache-arrow';
import type { IdType } from './shard-index.js';

/** The columns of one record batch; document i is `ids[offsets[i]..offsets[i+1]]`. */
export interface BatchColumns {
  offsets: Int32Array;
  ids: Uint16Array | Uint32Array;
  /** 1 where the token is a training target; absent where every token is. */
  mask?: Uint8Array;
}

/** The end-of-stream marker of Arrow IPC. */
export const END_OF_STREAM = Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

/** The schema message of a shard: `input_ids` list, and `targets_mask` list of uint8 for instruction data. */
export function encodeSchema(idType: IdType, hasMask: boolean): Buffer {
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, shardSchema(idType, hasMask));
  writer.finish();
  const bytes = Buffer.from(writer.toUint8Array(true));
  return bytes.subarray(0, bytes.length - END_OF_STREAM.length);
}

/** The record batch message of some documents. */
export function encodeBatch(columns: BatchColumns): Buffer {
  const idType = columns.ids instanceof Uint16Array ? 'uint16' : 'uint32';
  const schema = shardSchema(idType, columns.mask !== undefined);
  const length = columns.offsets.length - 1;
  const children = [listData(schema.fields[0]!.type as List, columns.ids, columns.offsets)];
  if (columns.mask) children.push(listData(schema.fields[1]!.type as List, columns.mask, columns.offsets));
  const data = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children });
  const writer = new RecordBatchStreamWriter();
  writer.write(new RecordBatch(schema, data));
  writer.finish();
  const bytes = Buffer.from(writer.toUint8Array(true));
  return bytes.subarray(encodeSchema(idType, columns.mask !== undefined).length, bytes.length - END_OF_STREAM.length);
}

/** Reads a record batch message back, without copying its columns. @throws Error when the bytes are no such message. */
export function decodeBatch(schema: Buffer, message: Buffer): BatchColumns {
  const batch = RecordBatchReader.from([schema, message, END_OF_STREAM]).next().value as RecordBatch | undefined;
  if (!batch) throw new Error('the message holds no record batch');
  const ids = batch.getChild('input_ids')?.data[0] as Data<List> | undefined;
  if (!ids) throw new Error('there is no input_ids column');
  const mask = batch.getChild('targets_mask')?.data[0] as Data<List> | undefined;
  // Buffers are padded to 8 bytes: cut the padding off.
  const offsets = ids.valueOffsets.subarray(0, batch.numRows + 1);
  const numTokens = offsets[batch.numRows]!;
  const columns = { offsets, ids: (ids.children[0]!.values as Uint16Array | Uint32Array).subarray(0, numTokens) };
  return mask ? { ...columns, mask: (mask.children[0]!.values as Uint8Array).subarray(0, numTokens) } : columns;
}

function shardSchema(idType: IdType, hasMask: boolean): Schema {
  const list = (name: string, type: Uint8 | Uint16 | Uint32) =>
    new Field(name, new List(new Field('item', type, false)), false);
  const ids = list('input_ids', idType === 'uint16' ? new Uint16() : new Uint32());
  return new Schema(hasMask ? [ids, list('targets_mask', new Uint8())] : [ids]);
}

function listData(type: List, values: Uint8Array | Uint16Array | Uint32Array, valueOffsets: Int32Array): Data<List> {
  const item = type.children[0]!.type as Uint8 | Uint16 | Uint32;
  const child = makeData({ type: item, length: values.length, nullCount: 0, data: values } as Parameters<
    typeof makeData
  >[0]);
  return makeData({ type, length: valueOffsets.length - 1, nullCount: 0, valueOffsets, child: child as Data });
}
