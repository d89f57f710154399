import type { BatchEvent, LlamaConfig, SequenceRequest } from '@lethe/model';
import type { DeviceSettings } from '@lethe/tensor';

/** What the worker that runs the model is started with. */
export interface EngineSettings extends DeviceSettings {
  /** Checkpoint folder. */
  model: string;
  /** Sequences that run at once. */
  maxBatch: number;
  /** Caches of ended sequences that are kept for prompts that begin alike; unless given, as many as `maxBatch`. */
  keptPrompts?: number;
}

/** What the server tells the worker. */
export type EngineRequest =
  { kind: 'add'; id: number; request: SequenceRequest } | { kind: 'cancel'; id: number } | { kind: 'close' };

/** What the worker tells the server: once that it is ready, or why not; then the events of its steps. */
export type EngineReply =
  | { kind: 'ready'; config: LlamaConfig }
  | { kind: 'refused'; message: string; stack?: string; isExpected: boolean }
  | { kind: 'events'; events: BatchEvent[] };
