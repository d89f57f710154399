import { type Data, DataType } from 'apache-arrow';
import { ByteBuffer } from 'flatbuffers';

/**
 * Makes the reader of Arrow's metadata refuse a list that claims more elements than there are bytes: one changed byte
 * otherwise makes it build lists of billions.
 */
export function boundMetadataLists(): void {
  const { prototype } = ByteBuffer;
  if (isBounded) return;
  isBounded = true;
  const lengthOf = prototype.__vector_len;
  prototype.__vector_len = function boundedLength(this: ByteBuffer, offset: number): number {
    const length = lengthOf.call(this, offset);
    if (length >= 0 && length <= this.capacity()) return length;
    throw new Error(`damaged metadata: a list of ${length} elements in ${this.capacity()} bytes`);
  };
}

let isBounded = false;

/** Values that may take no bytes at all: nulls of no type. */
const FREE_VALUES = 65_536;

/**
 * Refuses a batch that claims more rows, or lists that claim more elements, than there are: nulls would follow without end. A value
 * takes a bit at least, but for nulls, of which there are as many as of what stands beside them.
 * @param isAlone whether nothing else says how many values there are.
 */
export function boundValues({ type, length, byteLength, children, valueOffsets }: Data, isAlone = true): void {
  const hasBytes = !DataType.isNull(type) && !DataType.isStruct(type);
  if ((isAlone || hasBytes) && length > Math.max(FREE_VALUES, 8 * byteLength))
    throw new Error(`damaged metadata: ${length} values in ${byteLength} bytes`);
  const most = children[0]?.length;
  if (DataType.isList(type) || DataType.isMap(type)) {
    const wrong = valueOffsets.subarray(0, length + 1).find((end: number) => end < 0 || end > most);
    if (wrong !== undefined) throw new Error(`damaged lists: element ${wrong} of ${most}`);
  }
  if (DataType.isFixedSizeList(type) && type.listSize * length > most)
    throw new Error(`damaged lists: ${length} of ${type.listSize} elements, of ${most}`);
  for (const child of children) boundValues(child, !DataType.isStruct(type));
}
