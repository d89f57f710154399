import {
  type Data,
  Field,
  FixedSizeList,
  Float32,
  makeData,
  RecordBatch,
  RecordBatchReader,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Uint16,
  Uint32,
} from 'apache-arrow';
import { END_OF_STREAM } from '../shards/arrow-batch.js';

/** What is kept of a row: for each of T tokens a vector of D numbers. */
export interface RowShape {
  rowLength: number;
  width: number;
  /** Arrow has no bfloat16: its bit patterns are stored as uint16, and the schema's metadata says so. */
  type: 'float32' | 'bfloat16';
}

/** The vectors of a row, [T*D]; bit patterns for bfloat16. */
export type RowValues = Float32Array | Uint16Array;

/** Rows as messages of an Arrow IPC stream, one record batch a row: all are of one size, so that each can be found. */
export class RowFormat {
  /** The schema message, with which a file begins. */
  readonly head: Buffer;
  readonly messageBytes: number;
  private readonly schema: Schema;

  constructor(private readonly shape: RowShape) {
    this.schema = schemaOf(shape);
    const writer = new RecordBatchStreamWriter();
    writer.reset(undefined, this.schema);
    writer.finish();
    const bytes = Buffer.from(writer.toUint8Array(true));
    this.head = bytes.subarray(0, bytes.length - END_OF_STREAM.length);
    this.messageBytes = this.encode(0, this.zeros()).length;
  }

  /** The record batch message of a row. @throws RangeError for values of another length or type. */
  encode(row: number, values: RowValues): Buffer {
    const { rowLength, width, type } = this.shape;
    const isFit = values.length === rowLength * width && values instanceof Float32Array === (type === 'float32');
    if (!isFit)
      throw new RangeError(
        `row ${row}: expected ${rowLength} x ${width} of ${type}, received ${values.constructor.name} of ${values.length}`,
      );
    const [rowField, hiddenField] = this.schema.fields;
    const ofTokens = hiddenField!.type as FixedSizeList;
    const ofToken = ofTokens.children[0]!.type as FixedSizeList;
    const numbers = makeData({
      type: ofToken.children[0]!.type,
      length: values.length,
      nullCount: 0,
      data: values,
    } as never);
    const tokens = makeData({ type: ofToken, length: rowLength, nullCount: 0, child: numbers as Data });
    const children = [
      makeData({ type: rowField!.type as Uint32, length: 1, nullCount: 0, data: Uint32Array.of(row) }),
      makeData({ type: ofTokens, length: 1, nullCount: 0, child: tokens }),
    ];
    const data = makeData({ type: new Struct(this.schema.fields), length: 1, nullCount: 0, children });
    const writer = new RecordBatchStreamWriter();
    writer.write(new RecordBatch(this.schema, data));
    writer.finish();
    const bytes = Buffer.from(writer.toUint8Array(true));
    return bytes.subarray(this.head.length, bytes.length - END_OF_STREAM.length);
  }

  /** Reads a message back, without copying the values. @throws Error when the bytes are no such message. */
  decode(message: Buffer): { row: number; values: RowValues } {
    const batch = RecordBatchReader.from([this.head, message, END_OF_STREAM]).next().value as RecordBatch | undefined;
    const row = batch?.getChild('row')?.get(0) as number | undefined;
    const values = batch?.getChild('hidden')?.data[0]?.children[0]?.children[0]?.values as RowValues | undefined;
    if (row === undefined || values === undefined) throw new Error('the message holds no row');
    const { rowLength, width } = this.shape;
    return { row, values: values.subarray(0, rowLength * width) }; // buffers are padded
  }

  private zeros(): RowValues {
    const { rowLength, width, type } = this.shape;
    return type === 'float32' ? new Float32Array(rowLength * width) : new Uint16Array(rowLength * width);
  }
}

function schemaOf({ rowLength, width, type }: RowShape): Schema {
  const value = new Field('value', type === 'float32' ? new Float32() : new Uint16(), false);
  const token = new Field('token', new FixedSizeList(width, value), false);
  const hidden = new Field('hidden', new FixedSizeList(rowLength, token), false);
  return new Schema([new Field('row', new Uint32(), false), hidden], new Map([['value', type]]));
}
