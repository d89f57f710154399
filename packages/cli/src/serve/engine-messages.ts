import type { BatchEvent, LlamaConfig, SequenceRequest } from '@lethe/model';
import type { DeviceFlags } from '../device-options.js';

/** What the worker that runs the model is started with. */
export interface EngineSettings extends DeviceFlags {
  /** Checkpoint folder. */
  model: string;
  /** Sequences that run at once. */
  maxBatch: number;
}

/** What the server tells the worker. */
export type EngineRequest =
  { kind: 'add'; id: number; request: SequenceRequest } | { kind: 'cancel'; id: number } | { kind: 'close' };

/** What the worker tells the server: once that it is ready, or why not; then the events of its steps. */
export type EngineReply =
  | { kind: 'ready'; config: LlamaConfig }
  | { kind: 'refused'; message: string; stack?: string; isExpected: boolean }
  | { kind: 'events'; events: BatchEvent[] };
