import { compressionRegistry, CompressionType } from 'apache-arrow';
import { decompress as decodeZstd } from 'fzstd';
import { decompress as decodeLz4 } from 'lz4js';

/** Lets Arrow's reader open record batches that LZ4 or ZSTD has compressed. */
export function registerArrowCodecs(): void {
  // Copies, since Arrow reads 8-byte aligned views.
  compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: (bytes) => Uint8Array.from(decodeLz4(bytes)) });
  compressionRegistry.set(CompressionType.ZSTD, { decode: (bytes) => Uint8Array.from(decodeZstd(bytes)) });
}
