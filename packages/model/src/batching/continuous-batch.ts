import { checkFinite } from '../finite.js';
import type { Llama } from '../llama.js';
import { BatchSequence, type SequenceEvent, type SequenceRequest } from './batch-sequence.js';
import { KeptPrefixes } from './kept-prefixes.js';
import { type Continuation, forwardRagged } from './ragged-batch.js';

/** Limits of a {@link ContinuousBatch}. */
export interface BatchOptions {
  /** Sequences that run at once; the others wait in the order they came. */
  maxSequences: number;
  /** Most prompt tokens that one step reads, so that a long prompt does not hold up the sequences that generate. */
  promptTokensPerStep?: number;
  /** Caches kept of sequences that have ended, so that prompts that begin alike are not read anew. Default 0. */
  keptPrefixes?: number;
}

/** An event and the sequence it belongs to. */
export interface BatchEvent {
  id: number;
  event: SequenceEvent;
}

interface Turn {
  sequence: BatchSequence;
  count: number;
}

/**
 * Continuous batching: sequences enter and leave between steps, and each step is one forward pass over the latest
 * token of every sequence that generates and over pieces of the prompts that are being read. A sequence's tokens do
 * not depend on which others run.
 */
export class ContinuousBatch {
  private readonly waiting = new Map<number, SequenceRequest>();
  private readonly running = new Map<number, BatchSequence>();
  private readonly prefixes: KeptPrefixes;
  private nextId = 0;

  constructor(
    private readonly model: Llama,
    private readonly options: BatchOptions,
  ) {
    this.prefixes = new KeptPrefixes(options.keptPrefixes ?? 0);
  }

  /** Whether there is nothing to do. */
  get isIdle(): boolean {
    return this.waiting.size + this.running.size === 0;
  }

  /** Sequences whose caches are held. */
  get numRunning(): number {
    return this.running.size;
  }

  /**
   * Puts a sequence in the queue; it starts with the next step that has room. Returns its id.
   * @throws RangeError for an empty prompt, an id outside the vocabulary, or more tokens than the model's context.
   */
  add(request: SequenceRequest, id = this.nextId++): number {
    checkPrompt(this.model, request.prompt, request.maxNewTokens);
    this.waiting.set(id, request);
    return id;
  }

  /** Ends a sequence without an event and releases or keeps its cache; an unknown id is ignored. */
  cancel(id: number): void {
    this.waiting.delete(id);
    const sequence = this.running.get(id);
    if (sequence) this.prefixes.keep(sequence.leave());
    this.running.delete(id);
  }

  private fail(id: number): void {
    this.running.get(id)?.dispose();
    this.running.delete(id);
  }

  /**
   * One forward pass, and what came of it, in the order the sequences were added. A pass that fails, for want of
   * memory, fails the sequences that took part in it, and no others.
   */
  step(): BatchEvent[] {
    const events = this.admit();
    const turns = this.plan();
    if (turns.length === 0) return events;
    try {
      events.push(...this.forward(turns));
    } catch (error) {
      this.prefixes.clear();
      for (const { sequence } of turns) {
        events.push({ id: sequence.id, event: { kind: 'failure', message: (error as Error).message } });
      }
    }
    for (const { id, event } of events) {
      if (event.kind === 'end') this.cancel(id);
      if (event.kind === 'failure') this.fail(id);
    }
    return events;
  }

  /** Releases all caches. */
  dispose(): void {
    for (const id of [...this.waiting.keys(), ...this.running.keys()]) this.cancel(id);
    this.prefixes.clear();
  }

  /** Starts waiting sequences while there is room; those with nothing to compute end at once. */
  private admit(): BatchEvent[] {
    const events: BatchEvent[] = [];
    for (const [id, request] of this.waiting) {
      if (this.running.size >= this.options.maxSequences) break;
      this.waiting.delete(id);
      const sequence = new BatchSequence(id, request, this.model.config);
      if (sequence.numUnread === 0 || (request.maxNewTokens === 0 && !request.scoresPrompt)) {
        events.push(...sequence.whenRead().map((event) => ({ id, event })));
        sequence.dispose();
      } else {
        this.running.set(id, sequence);
        const prefix = this.prefixes.find(request);
        if (!prefix) continue;
        sequence.share(prefix);
        events.push({ id, event: { kind: 'shared', numTokens: prefix.numTokens } });
      }
    }
    return events;
  }

  /** Every sequence that generates reads one token; prompts share the rest of the step, the oldest first. */
  private plan(): Turn[] {
    let room = this.options.promptTokensPerStep ?? 256;
    return [...this.running.values()].flatMap((sequence) => {
      if (!sequence.isReadingPrompt) return [{ sequence, count: 1 }];
      const count = Math.min(sequence.numUnread, room);
      room -= count;
      return count > 0 ? [{ sequence, count }] : [];
    });
  }

  private forward(turns: Turn[]): BatchEvent[] {
    const wanted: { sequence: BatchSequence; at: number }[] = [];
    const rows: number[] = [];
    const continuations: Continuation[] = [];
    let offset = 0;
    for (const { sequence, count } of turns) {
      for (const row of sequence.wantedRows(count)) {
        wanted.push({ sequence, at: sequence.cache.length + row });
        rows.push(offset + row);
      }
      continuations.push({ ids: sequence.take(count), cache: sequence.cache });
      offset += count;
    }
    const events: BatchEvent[] = [];
    const failed = new Set<number>();
    forwardRagged(this.model, continuations, rows, (index, logits) => {
      const { sequence, at } = wanted[index];
      if (failed.has(sequence.id)) return;
      try {
        checkFinite(this.model, logits, `logits after token ${at + 1} of the text`);
      } catch (error) {
        // Other sequences of this pass may be sound.
        failed.add(sequence.id);
        events.push({ id: sequence.id, event: { kind: 'failure', message: (error as Error).message } });
        return;
      }
      events.push(...sequence.accept(at, logits).map((event) => ({ id: sequence.id, event })));
    });
    return events;
  }
}

/** @throws RangeError for an empty prompt, an id outside the vocabulary, or more tokens than the model's context. */
export function checkPrompt({ config }: Llama, prompt: ArrayLike<number>, maxNewTokens: number): void {
  const { vocabSize, maxPositions } = config;
  if (prompt.length === 0) throw new RangeError("the prompt is empty; start it with the model's BOS token");
  if (prompt.length + maxNewTokens > maxPositions) {
    throw new RangeError(
      `the prompt has ${prompt.length} tokens, and with ${maxNewTokens} new ones exceeds the model's context of ${maxPositions}`,
    );
  }
  for (let i = 0; i < prompt.length; i++) {
    if (prompt[i] < 0 || prompt[i] >= vocabSize) {
      throw new RangeError(`the prompt has id ${prompt[i]}, expected ids in [0, ${vocabSize})`);
    }
  }
}
