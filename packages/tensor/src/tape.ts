// The reverse pass: a list of nodes over tfjs tensors of any device. Unlike tfjs's own tape it frees a saved tensor as
// soon as its node has run backwards, adds gradients of parameters in place, and records nothing for frozen models.
import * as tf from '@tensorflow/tfjs-core';
import { LetheBackend } from './backend.js';
import type { Parameter } from './parameter.js';

/** Gradients of a node's inputs: undefined where an input needs none, or where it was added in place already. */
export type InputGradients = (tf.Tensor | undefined)[];

/** What an operator records: how to turn the gradients of its outputs into those of its inputs. */
export interface Recorded {
  inputs: (tf.Tensor | undefined)[];
  outputs: tf.Tensor[];
  /** Tensors the backward function reads; kept alive until it has run. */
  saved: tf.Tensor[];
  backward: (outputGradients: (tf.Tensor | undefined)[]) => InputGradients;
}

class Tape {
  readonly nodes: Recorded[] = [];
  readonly live = new Set<number>();
  readonly savedCount = new Map<number, number>();
  readonly owned = new Set<number>();
  readonly gradients = new Map<number, tf.Tensor>();
  readonly parameters = new Map<number, Parameter>();
  /** Of each parameter: the nodes whose reverse may still add to its gradient. */
  readonly uses = new Map<number, number>();
  seed: tf.Tensor | undefined;
}

let tape: Tape | undefined;
let scoped: tf.Tensor[] | undefined;
/** What a checkpoint's first run reads: nothing records it. */
let read: Set<tf.Tensor> | undefined;

/** Runs f without recording: frozen models, evaluation. */
export function noGrad<R>(f: () => R): R {
  const outer = tape;
  tape = undefined;
  try {
    return f();
  } finally {
    tape = outer;
  }
}

/** Whether a gradient will be asked of this tensor. */
export function isLive(x: tf.Tensor | undefined): boolean {
  return x !== undefined && tape !== undefined && tape.live.has(x.id);
}

/** Whether this gradient is the constant 1 with which the reverse pass starts. */
export function isSeed(gradient: tf.Tensor): boolean {
  return tape?.seed === gradient;
}

/**
 * The tensor to which the gradient of x may be added in place: a parameter's gradient, or one that is pending and
 * unshared. Undefined where there is none yet, or where the device cannot add in place.
 */
export function accumulator(x: tf.Tensor): tf.Tensor | undefined {
  const backend = tf.engine().backend;
  if (!tape || !(backend instanceof LetheBackend)) return undefined;
  const parameter = tape.parameters.get(x.id);
  if (parameter) return parameter.grad;
  const pending = tape.gradients.get(x.id);
  return pending && pending !== tape.seed && backend.refCount(pending.dataId) === 1 ? pending : undefined;
}

/** Hands what an operator produced to the current scope and tape. */
export function record(node: Recorded): void {
  scoped?.push(...node.outputs);
  for (const input of node.inputs) if (input) read?.add(input);
  if (!tape || !node.inputs.some(isLive)) return;
  tape.nodes.push(node);
  for (const input of node.inputs)
    if (input && tape.parameters.has(input.id)) tape.uses.set(input.id, (tape.uses.get(input.id) ?? 0) + 1);
  for (const output of node.outputs) tape.live.add(output.id);
  for (const saved of node.saved) tape.savedCount.set(saved.id, (tape.savedCount.get(saved.id) ?? 0) + 1);
}

/** Runs f and disposes what it made, but for its result and what the reverse pass will read. */
export function scope<R extends tf.Tensor | tf.Tensor[]>(f: () => R): R {
  const outer = scoped;
  const made: tf.Tensor[] = (scoped = []);
  try {
    const result = f();
    const results = new Set(Array.isArray(result) ? result : [result]);
    for (const tensor of made) {
      if (results.has(tensor)) outer?.push(tensor);
      else if (tape?.savedCount.has(tensor.id)) tape.owned.add(tensor.id);
      else tensor.dispose();
    }
    return result;
  } finally {
    scoped = outer;
  }
}

/**
 * Runs f, then the reverse pass from its scalar result, adding d result / d parameter to each parameter's gradient.
 * @param onFinal told of each parameter that the result depends on, while the pass goes on, once nothing more will be added
 *   to its gradient.
 * @returns the scalar; the caller disposes it.
 * @throws Error when the result depends on none of the parameters.
 */
export function backward(
  f: () => tf.Tensor,
  parameters: Iterable<Parameter>,
  onFinal?: (parameter: Parameter) => void,
): tf.Tensor {
  const own = new Tape();
  for (const parameter of parameters) {
    own.live.add(parameter.value.id);
    own.parameters.set(parameter.value.id, parameter);
  }
  const value = recordOn(own, f);
  if (!own.live.has(value.id)) throw new Error('backward: the result depends on none of the parameters');
  own.seed = tf.onesLike(value);
  replay(own, value, { seed: own.seed, onFinal });
  own.seed.dispose();
  return value;
}

/** The scalar or tensor f returns, and the gradients of sum(f * seed) with respect to xs (undefined where none reaches). */
export function gradients(
  f: () => tf.Tensor,
  xs: tf.Tensor[],
  seed?: tf.Tensor,
): { value: tf.Tensor; gradients: (tf.Tensor | undefined)[] } {
  const own = new Tape();
  for (const x of xs) own.live.add(x.id);
  const value = recordOn(own, f);
  const start = seed ?? tf.onesLike(value);
  if (!seed) own.seed = start;
  replay(own, value, { seed: start, keep: new Set(xs.map((x) => x.id)) });
  const found = xs.map((x) => own.gradients.get(x.id));
  if (!seed && !found.includes(start)) start.dispose();
  return { value, gradients: found };
}

/**
 * Activation recompute: f runs without recording, and once more with recording when its gradient is needed.
 * f may read parameters; x is its only other input that needs a gradient.
 */
export function checkpoint(f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): tf.Tensor {
  const outer = tape;
  const [y, inputs] = readBy(() => noGrad(() => scope(() => f(x))));
  if (!outer) return y;
  const wantsInput = isLive(x);
  const backwardOnce = ([dy]: (tf.Tensor | undefined)[]): InputGradients => {
    const own = new Tape();
    if (wantsInput) own.live.add(x.id);
    for (const [id, parameter] of outer.parameters) {
      own.live.add(id);
      own.parameters.set(id, parameter);
    }
    const again = recordOn(own, () => f(x));
    replay(own, again, { seed: dy!, keep: new Set([x.id]) });
    again.dispose();
    return [own.gradients.get(x.id)];
  };
  const parameters = inputs.filter(({ id }) => outer.parameters.has(id));
  record({ inputs: [x, ...parameters], outputs: [y], saved: [x], backward: backwardOnce });
  return y;
}

/** Runs f; also what its operators read. */
function readBy<R>(f: () => R): [R, tf.Tensor[]] {
  const outer = read;
  const own = (read = new Set<tf.Tensor>());
  try {
    return [f(), [...own]];
  } finally {
    read = outer;
    for (const tensor of own) outer?.add(tensor);
  }
}

function recordOn(own: Tape, f: () => tf.Tensor): tf.Tensor {
  const outer = tape;
  tape = own;
  try {
    return scope(f);
  } finally {
    tape = outer;
  }
}

interface Replay {
  seed: tf.Tensor;
  /** Tensors whose gradients stay in own.gradients; parameters get theirs, and the others are consumed. */
  keep?: Set<number>;
  onFinal?: (parameter: Parameter) => void;
}

/** Walks the nodes backwards. */
function replay(own: Tape, value: tf.Tensor, { seed, keep = new Set(), onFinal }: Replay): void {
  const outer = tape;
  const outerScope = scoped;
  tape = own;
  scoped = undefined;
  own.gradients.set(value.id, seed);
  try {
    for (let node = own.nodes.pop(); node; node = own.nodes.pop()) {
      const outputGradients = node.outputs.map((output) => own.gradients.get(output.id));
      if (outputGradients.some((gradient) => gradient !== undefined)) {
        for (const output of node.outputs) if (!keep.has(output.id)) own.gradients.delete(output.id);
        const inputGradients = node.backward(outputGradients);
        node.inputs.forEach((input, i) => addGradient(own, input, inputGradients[i]));
        const passedOn = new Set(own.gradients.values());
        for (const gradient of outputGradients)
          if (gradient && gradient !== seed && !passedOn.has(gradient)) gradient.dispose();
      }
      releaseSaved(own, node.saved);
      for (const parameter of lastUsesOf(own, node)) {
        addPending(own, parameter);
        onFinal?.(parameter);
      }
    }
  } finally {
    tape = outer;
    scoped = outerScope;
  }
}

function addGradient(own: Tape, input: tf.Tensor | undefined, gradient: tf.Tensor | undefined): void {
  if (!gradient) return;
  if (!input || !own.live.has(input.id)) {
    gradient.dispose();
    return;
  }
  const pending = own.gradients.get(input.id);
  if (!pending) {
    own.gradients.set(input.id, gradient);
    return;
  }
  own.gradients.set(input.id, tf.add(pending, gradient));
  if (pending !== own.seed) pending.dispose();
  gradient.dispose();
}

/** The parameters to whose gradients no other node adds after this one. */
function lastUsesOf(own: Tape, node: Recorded): Parameter[] {
  const last: Parameter[] = [];
  for (const input of node.inputs) {
    const uses = input && own.uses.get(input.id);
    if (!uses) continue;
    own.uses.set(input.id, uses - 1);
    if (uses === 1) last.push(own.parameters.get(input.id)!);
  }
  return last;
}

/** Adds what was not added in place to a parameter's gradient. */
function addPending(own: Tape, parameter: Parameter): void {
  const { id } = parameter.value;
  const pending = own.gradients.get(id);
  if (!pending) return;
  own.gradients.delete(id);
  parameter.setGrad(tf.add(parameter.grad, pending));
  // It may be that of another tensor too.
  if (pending !== own.seed && ![...own.gradients.values()].includes(pending)) pending.dispose();
}

function releaseSaved(own: Tape, saved: tf.Tensor[]): void {
  for (const tensor of saved) {
    const count = own.savedCount.get(tensor.id)! - 1;
    if (count > 0) {
      own.savedCount.set(tensor.id, count);
      continue;
    }
    own.savedCount.delete(tensor.id);
    if (own.owned.delete(tensor.id)) tensor.dispose();
  }
}
