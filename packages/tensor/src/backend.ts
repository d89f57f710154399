import * as tf from '@tensorflow/tfjs-core';
import { type Addon, deviceIndex, type DeviceName } from '@lethe/native';

interface Stored {
  buffer: number;
  refCount: number;
  dtype: tf.DataType;
  size: number;
  /** Elements are bf16, whatever the dtype's label says; values are read as float32. */
  bf16: boolean;
}

/** A TensorFlow.js backend whose tensors are buffers of the native addon. One instance per device. */
export class LetheBackend extends tf.KernelBackend {
  private readonly stored = new tf.DataStorage<Stored>(this, tf.engine());
  private readonly lent = new Map<number, () => void>();
  readonly deviceIndex: number;

  constructor(
    readonly addon: Addon,
    readonly device: DeviceName,
  ) {
    super();
    this.deviceIndex = deviceIndex[device];
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    this.move(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(dataId: object, values: tf.BackendValues, shape: number[], dtype: tf.DataType, refCount: number): void {
    const size = tf.util.sizeFromShape(shape);
    const buffer = this.addon.alloc(this.deviceIndex, Math.max(size, 1) * 4);
    if (values && size > 0) this.addon.write(buffer, 0, asWords(values, dtype));
    this.stored.set(dataId, { buffer, refCount, dtype, size, bf16: false });
  }

  /** An uninitialised tensor for a kernel to fill, of 4-byte elements. */
  output(shape: number[], dtype: 'float32' | 'int32' = 'float32'): tf.TensorInfo {
    return this.allocate(shape, dtype, false);
  }

  /** The same for an activation: float32 by its label, held in bf16 where `bf16` says so. */
  activation(shape: number[], bf16: boolean): tf.TensorInfo {
    return this.allocate(shape, 'float32', bf16);
  }

  private allocate(shape: number[], dtype: 'float32' | 'int32', bf16: boolean): tf.TensorInfo {
    const dataId = {};
    const size = tf.util.sizeFromShape(shape);
    const buffer = this.addon.alloc(this.deviceIndex, Math.max(size, 1) * (bf16 ? 2 : 4), bf16);
    this.stored.set(dataId, { buffer, refCount: 1, dtype, size, bf16 });
    return { dataId, shape, dtype };
  }

  /** The same storage under another shape or type label. */
  alias(x: tf.TensorInfo, shape: number[], dtype: tf.DataType = x.dtype): tf.TensorInfo {
    this.incRef(x.dataId);
    return { dataId: x.dataId, shape, dtype };
  }

  /** Whether a tensor's elements are held in bf16. */
  isBf16(x: tf.TensorInfo): boolean {
    return this.stored.get(x.dataId).bf16;
  }

  /** The addon's buffer of a tensor, once it is nobody else's. */
  buffer({ dataId }: Pick<tf.TensorInfo, 'dataId'>): number {
    const { buffer } = this.stored.get(dataId);
    if (this.lent.size > 0) this.lent.get(buffer)?.();
    return buffer;
  }

  /**
   * Lends a tensor's buffer to what works on it beside the program, until that is done or has been waited for.
   * @param wait blocks until it is; throws where it has failed.
   */
  lend(x: tf.TensorInfo, { wait, done }: { wait: () => void; done: Promise<void> }): void {
    const buffer = this.buffer(x);
    const takeBack = (): void => {
      if (this.lent.get(buffer) === waitOnce) this.lent.delete(buffer);
    };
    const waitOnce = (): void => {
      wait();
      takeBack();
    };
    this.lent.set(buffer, waitOnce);
    // What has failed stays lent: whoever uses it is told.
    done.then(takeBack, () => {});
  }

  override readSync(dataId: object): tf.BackendValues {
    const { dtype, size, bf16 } = this.stored.get(dataId);
    const buffer = this.buffer({ dataId });
    if (bf16) return widened(this.addon, buffer, size);
    const words = dtype === 'float32' ? new Float32Array(size) : new Int32Array(size);
    if (size > 0) this.addon.read(buffer, 0, words);
    return dtype === 'bool' ? Uint8Array.from(words) : words;
  }

  // eslint-disable-next-line typescript/require-await
  override async read(dataId: object): Promise<tf.BackendValues> {
    return this.readSync(dataId);
  }

  override refCount(dataId: object): number {
    return this.stored.has(dataId) ? this.stored.get(dataId).refCount : 0;
  }

  override incRef(dataId: object): void {
    this.stored.get(dataId).refCount++;
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.stored.has(dataId)) return true;
    const stored = this.stored.get(dataId);
    stored.refCount--;
    if (!force && stored.refCount > 0) return false;
    this.addon.release(this.buffer({ dataId }));
    this.stored.delete(dataId);
    return true;
  }

  override numDataIds(): number {
    return this.stored.numDataIds();
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {
    this.addon.emptyCache(this.deviceIndex);
  }
}

/** The values of a bf16 buffer: the upper halves of float32. */
function widened(addon: Addon, buffer: number, size: number): Float32Array {
  const halves = new Uint16Array(size);
  if (size > 0) addon.read(buffer, 0, halves);
  const words = Uint32Array.from(halves);
  for (let i = 0; i < size; i++) words[i] <<= 16;
  return new Float32Array(words.buffer);
}

/** tfjs values as the 4-byte words the addon stores. */
function asWords(values: tf.BackendValues, dtype: tf.DataType): Float32Array | Int32Array {
  if (dtype === 'float32')
    return values instanceof Float32Array ? values : Float32Array.from(values as ArrayLike<number>);
  if (dtype === 'int32' || dtype === 'bool') {
    return values instanceof Int32Array ? values : Int32Array.from(values as ArrayLike<number>);
  }
  throw new RangeError(`lethe devices store float32, int32 and bool tensors, received dtype ${dtype}`);
}
