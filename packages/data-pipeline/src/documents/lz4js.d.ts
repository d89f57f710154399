declare module 'lz4js' {
  /** Decompresses one LZ4 frame. */
  export function decompress(frame: Uint8Array, maxSize?: number): Uint8Array | number[];
}
