import * as tf from '@tensorflow/tfjs-core';
import { type Addon, type CollectiveKind, collectiveKind, loadAddon, type OpenedCollectives } from '@lethe/native';
import { LetheBackend } from '../backend.js';
import { partOfRank } from '../operators/part.js';
import type { Collectives } from './collectives.js';

/** Exit codes with which all ranks end alike: done, past a limit, stopped by SIGINT or SIGTERM. */
const TOGETHER = [0, 3, 130, 143];

/** Seconds without a sign of life after which a rank counts as gone. */
const SILENCE_SECONDS = 15;

/** The collectives of the addon, over the transport of the job. */
export class NativeCollectives implements Collectives {
  private readonly addon: Addon = loadAddon();
  private readonly opened: OpenedCollectives;
  private hasFailedTogether = false;

  /** @param deadline seconds that a call may wait for other ranks. */
  constructor(transport: 'mpi' | 'none', deadline: number) {
    this.opened = this.addon.openCollectives(transport, deadline, SILENCE_SECONDS);
    process.on('exit', (code) => {
      if (TOGETHER.includes(code) || this.hasFailedTogether) this.addon.closeCollectives();
      else this.addon.abortCollectives();
    });
  }

  get rank(): number {
    return this.opened.rank;
  }

  get size(): number {
    return this.opened.size;
  }

  get library(): string {
    return this.opened.library;
  }

  get places(): readonly { host: string; pid: number }[] {
    return this.opened.places;
  }

  allReduce(tensor: tf.Tensor): Promise<void> {
    return this.onTensor('allReduce', tensor, tensor.size);
  }

  reduceScatter(tensor: tf.Tensor): Promise<void> {
    return this.onTensor('reduceScatter', tensor, partOfRank(tensor.size, this).count);
  }

  allGather(tensor: tf.Tensor): Promise<void> {
    return this.onTensor('allGather', tensor, partOfRank(tensor.size, this).count);
  }

  broadcast(tensor: tf.Tensor, root = 0): Promise<void> {
    return this.onTensor('broadcast', tensor, tensor.size, root);
  }

  allReduceValues(values: Float32Array): Promise<void> {
    return this.onArray('allReduce', values, values.length);
  }

  async sum(values: readonly number[]): Promise<number[]> {
    const sums = Float64Array.from(values);
    await this.onArray('allReduce', sums, sums.length);
    return [...sums];
  }

  async gather(text: string): Promise<string[]> {
    const mine = new TextEncoder().encode(text);
    const lengths = await this.sum(this.places.map((_, rank) => (rank === this.rank ? mine.length : 0)));
    const most = Math.max(...lengths);
    const all = new Uint8Array(most * this.size);
    all.set(mine, most * this.rank);
    await this.onArray('allGather', all, most);
    return lengths.map((length, rank) => new TextDecoder().decode(all.subarray(most * rank, most * rank + length)));
  }

  barrier(): Promise<void> {
    return this.onArray('barrier', new Uint8Array(0), 0);
  }

  at(where: string): void {
    this.addon.collectivesAt(where);
  }

  failedTogether(): void {
    this.hasFailedTogether = true;
  }

  abort(): never {
    return this.addon.abortCollectives();
  }

  private onTensor(kind: CollectiveKind, tensor: tf.Tensor, count: number, root = 0): Promise<void> {
    const { backend } = tf.engine();
    if (!(backend instanceof LetheBackend)) {
      throw new RangeError(`collectives need a lethe-* device, received a tensor of ${tf.getBackend()}`);
    }
    const { deviceIndex } = backend;
    const buffer = backend.buffer(tensor);
    const done = this.addon.collectiveOnBuffer(collectiveKind[kind], deviceIndex, buffer, 0, count, root);
    backend.lend(tensor, { wait: () => this.addon.collectivesWait(deviceIndex, buffer), done });
    return done;
  }

  private onArray(kind: CollectiveKind, array: NodeJS.TypedArray, count: number): Promise<void> {
    return this.addon.collectiveOnArray(collectiveKind[kind], array, count, 0);
  }
}
