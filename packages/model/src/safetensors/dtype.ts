/** Bits per element of every number format that the safetensors format knows. */
export const DTYPE_BITS = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  I64: 64,
  U64: 64,
  F64: 64,
  C64: 64,
} as const;

/** A number format by its name in the header. */
export type SafetensorsDtype = keyof typeof DTYPE_BITS;

/** Whether a header's dtype is one of {@link DTYPE_BITS}. */
export const isDtype = (name: unknown): name is SafetensorsDtype =>
  typeof name === 'string' && Object.hasOwn(DTYPE_BITS, name);
