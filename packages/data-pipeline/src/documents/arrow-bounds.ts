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
