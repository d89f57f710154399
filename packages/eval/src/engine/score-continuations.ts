import type { Llama } from '@lethe/model';
import { commonPrefixLength, PrefixSlots } from './prefix-slots.js';

/** A text and what might follow it, in ids; the context is not empty. */
export interface ContinuationRequest {
  context: number[];
  continuations: number[][];
}

/** One forward pass's worth of a request: tokens after the prefix, and the log-probabilities it gives. */
interface Pass {
  request: number;
  input: number[];
  wanted: { at: number; id: number; continuation: number }[];
}

/** Passes of a request: continuations that differ in their last token only share one. */
function passesOf({ context, continuations }: ContinuationRequest, request: number): Pass[] {
  const passes = new Map<string, Pass>();
  continuations.forEach((ids, continuation) => {
    const input = [...context, ...ids.slice(0, -1)];
    const key = ids.slice(0, -1).join();
    const pass = passes.get(key) ?? { request, input, wanted: [] };
    passes.set(key, pass);
    ids.forEach((id, i) => pass.wanted.push({ at: context.length + i - 1, id, continuation }));
  });
  return [...passes.values()];
}

function logSumExp(logits: Float32Array): number {
  let top = -Infinity;
  for (const logit of logits) if (logit > top) top = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - top);
  return top + Math.log(sum);
}

/** Reads a group of passes, one a slot, and calls `add` with each log-probability. */
function readPasses(slots: PrefixSlots, group: Pass[], from: number, add: (pass: Pass, c: number, x: number) => void) {
  const rows: number[] = [];
  const places: { pass: Pass; at: number }[] = [];
  let offset = 0;
  for (const pass of group) {
    for (const at of new Set(pass.wanted.map((one) => one.at))) {
      rows.push(offset + at - from);
      places.push({ pass, at });
    }
    offset += pass.input.length - from;
  }
  const parts = group.map(({ input }, slot) => ({ slot, ids: input.slice(from) }));
  slots.read(parts, rows, (index, logits) => {
    const { pass, at } = places[index];
    const total = logSumExp(logits);
    for (const one of pass.wanted) if (one.at === at) add(pass, one.continuation, logits[one.id] - total);
  });
  group.forEach((_, slot) => slots.rewind(slot));
}

/**
 * Log-likelihoods of continuations, natural logarithm, summed over their tokens. What the contexts have in common at
 * their start is read once; continuations of one token need one pass together.
 * @param onScored called once for every request, in order, as soon as it is scored.
 */
export function scoreContinuations(
  model: Llama,
  requests: readonly ContinuationRequest[],
  onScored: (request: number, logprobs: number[]) => void,
): void {
  if (requests.length === 0) return;
  const contexts = requests.map(({ context }) => context);
  // The last token of every context is read again: the logits after it are wanted.
  const from = commonPrefixLength(contexts, Math.min(...contexts.map(({ length }) => length)) - 1);
  const passes = requests.flatMap(passesOf);
  const tailTokens = Math.max(...passes.map(({ input }) => input.length)) - from;
  const slots = new PrefixSlots(model, contexts[0].slice(0, from), { tailTokens, wanted: passes.length });
  const scores = requests.map(({ continuations }) => continuations.map(() => 0));
  try {
    for (let first = 0; first < passes.length; first += slots.count) {
      const group = passes.slice(first, first + slots.count);
      readPasses(slots, group, from, ({ request }, continuation, x) => (scores[request][continuation] += x));
      const next = passes[first + slots.count]?.request;
      for (const request of new Set(group.map((pass) => pass.request)))
        if (request !== next) onScored(request, scores[request]);
    }
  } finally {
    slots.dispose();
  }
}
