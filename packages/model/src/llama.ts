// The decoder of the Llama family: ids to hidden states. Legend: B sequences, T tokens of each, N = B * T rows,
// D hidden width, H query heads, K key/value heads.
import * as tf from '@tensorflow/tfjs-core';
import {
  add,
  attention,
  checkpoint,
  embedding,
  linear,
  Parameter,
  reshape,
  rmsNorm,
  rope,
  type RopeTables,
  scope,
  swiglu,
} from '@lethe/tensor';
import { type RaggedBatch, raggedAttention } from './batching/ragged-batch.js';
import type { LlamaConfig } from './config.js';
import type { KvCache } from './kv-cache.js';
import type { Adapter } from './lora/adapter.js';
import { headName, parameterSpecs } from './parameter-names.js';
import { ropeTables } from './rope-tables.js';

/**
 * One batch of token rows. `first` and `last` are the row-local key rows that each token sees (inclusive); `unbounded` is
 * `first` without the window, where there is one, for layers that see everything.
 */
export interface TokenBatch {
  ids: tf.Tensor;
  positions: tf.Tensor;
  first: tf.Tensor;
  unbounded?: tf.Tensor;
  last: tf.Tensor;
  numRows: number;
  rowLength: number;
}

/** How to run the decoder. */
export interface ForwardOptions {
  /** Recompute each layer in the reverse pass instead of keeping its activations. */
  recompute?: boolean;
  /** Keys and values of earlier tokens; the batch continues them. */
  cache?: KvCache;
  /** Leave the adapter out, where there is one: the model as it was before it. */
  bare?: boolean;
}

/** The inputs of one decoder layer: its index, the batch, and what changes its linear layers. */
interface LayerCall {
  index: number;
  batch: TokenBatch | RaggedBatch;
  cache?: KvCache;
  adapter?: Adapter;
}

/** A Llama-like model: parameters by their Hugging Face names, on the device that was current when it was made. */
export class Llama {
  /** Where the model comes from, for messages. */
  source = 'the model';
  private readonly tables: RopeTables;
  private readonly byName: Map<string, Parameter>;
  private laid: Adapter | undefined;

  /**
   * @param parameters one per name of `parameterSpecs(config)`.
   * @param numPositions longest sequence to read; beyond `config.maxPositions`, `dynamic` RoPE stretches to just this length.
   * @throws RangeError naming a parameter that is missing or has another shape.
   */
  constructor(
    readonly config: LlamaConfig,
    parameters: Iterable<Parameter>,
    numPositions = config.maxPositions,
  ) {
    this.byName = new Map([...parameters].map((parameter) => [parameter.name, parameter]));
    for (const { name, shape } of parameterSpecs(config)) {
      const received = this.byName.get(name)?.value.shape;
      if (!received || received.join() !== shape.join()) {
        throw new RangeError(
          `model: expected ${name} of shape [${shape}], received ${received ? `[${received}]` : 'nothing'}`,
        );
      }
    }
    const { cos, sin } = ropeTables(config, numPositions);
    const shape: [number, number] = [numPositions, config.headDim / 2];
    this.tables = { cos: tf.keep(tf.tensor2d(cos, shape)), sin: tf.keep(tf.tensor2d(sin, shape)) };
  }

  /** The parameters in the order of their names in the file, without those of an adapter. */
  get parameters(): Parameter[] {
    return [...this.byName.values()];
  }

  /** The parameters that training changes: those of the adapter, where there is one. */
  get trained(): Parameter[] {
    return this.laid?.parameters ?? this.parameters.filter(({ trainable }) => trainable);
  }

  /** What changes the linear layers of this model beside their weights. */
  get adapter(): Adapter | undefined {
    return this.laid;
  }

  /** Lays an adapter over the model, which owns it from then on. */
  adapt(adapter: Adapter): void {
    this.laid?.dispose();
    this.laid = adapter;
  }

  /** A parameter by its Hugging Face name. */
  parameter(name: string): Parameter {
    return this.byName.get(name)!;
  }

  /** The output embedding [V, D]: the input embedding itself when they are tied. */
  get headWeight(): tf.Tensor {
    return this.parameter(headName(this.config)).value;
  }

  /** Logits [N, V] of final hidden states [N, D], in fp32 whatever the precision. */
  logits(hidden: tf.Tensor): tf.Tensor {
    return linear(hidden, this.headWeight, undefined, { fp32: true });
  }

  /** Final hidden states [N, D], normalised, ready for the output embedding. */
  hidden(batch: TokenBatch | RaggedBatch, options: ForwardOptions = {}): tf.Tensor {
    return scope(() => {
      const embedded = embedding(batch.ids, this.parameter('model.embed_tokens.weight').value);
      let x = embedded;
      for (let index = 0; index < this.config.numLayers; index++) {
        const call = { index, batch, cache: options.cache, adapter: options.bare ? undefined : this.laid };
        const layer = (input: tf.Tensor): tf.Tensor => this.layer(input, call);
        const input = x;
        x = options.recompute ? checkpoint(layer, input) : scope(() => layer(input));
      }
      const { y } = rmsNorm(x, this.parameter('model.norm.weight').value, { epsilon: this.config.rmsNormEps });
      return y;
    });
  }

  private weight(index: number, name: string): tf.Tensor {
    return this.byName.get(`model.layers.${index}.${name}.weight`)!.value;
  }

  private project(x: tf.Tensor, { index, adapter }: LayerCall, name: string): tf.Tensor {
    const bias = this.byName.get(`model.layers.${index}.${name}.bias`)?.value;
    const plain = (): tf.Tensor => linear(x, this.weight(index, name), bias);
    return adapter ? scope(() => adapter.change(`model.layers.${index}.${name}`, x, plain())) : plain();
  }

  private layer(x: tf.Tensor, call: LayerCall): tf.Tensor {
    const { index } = call;
    const epsilon = this.config.rmsNormEps;
    const normed = rmsNorm(x, this.weight(index, 'input_layernorm'), { epsilon }).y;
    const attended = this.attend(normed, call);
    const middle = rmsNorm(attended, this.weight(index, 'post_attention_layernorm'), { epsilon, residual: x });
    const gate = this.project(middle.y, call, 'mlp.gate_proj');
    const up = this.project(middle.y, call, 'mlp.up_proj');
    const down = this.project(swiglu(gate, up), call, 'mlp.down_proj');
    return add(middle.sum, down);
  }

  private attend(x: tf.Tensor, call: LayerCall): tf.Tensor {
    const { index, batch, cache } = call;
    const { numHeads, numKeyValueHeads, headDim } = this.config;
    const q = this.rotated(this.project(x, call, 'self_attn.q_proj'), index, 'self_attn.q_norm', batch.positions);
    const k = this.rotated(this.project(x, call, 'self_attn.k_proj'), index, 'self_attn.k_norm', batch.positions);
    const v = this.project(x, call, 'self_attn.v_proj');
    const heads = { H: numHeads, K: numKeyValueHeads, D: headDim };
    const isFull = this.config.fullLayers.includes(index);
    if ('segments' in batch) {
      const y = raggedAttention({ q, k, v }, batch.segments, { layer: index, isFull, ...heads });
      const projected = this.project(y, call, 'self_attn.o_proj');
      y.dispose(); // joined from parts outside the scope
      return projected;
    }
    const sizes = { B: batch.numRows, T: batch.rowLength, ...heads };
    const bounds = { first: (isFull ? batch.unbounded : undefined) ?? batch.first, last: batch.last };
    if (cache) {
      const kept = cache.append(index, k, v);
      const y = attention({ q, k: kept.k, v: kept.v, ...bounds }, { ...sizes, S: cache.capacity });
      return this.project(y, call, 'self_attn.o_proj');
    }
    const y = attention({ q, k, v, ...bounds }, { ...sizes, S: batch.rowLength });
    return this.project(y, call, 'self_attn.o_proj');
  }

  /** Applies the per-head norm of Qwen3 where there is one, then the rotary embedding. */
  private rotated(x: tf.Tensor, index: number, norm: string, positions: tf.Tensor): tf.Tensor {
    if (!this.config.qkNorm) return rope(x, positions, this.tables);
    const [N, width] = x.shape as number[];
    const heads = reshape(x, [(N * width) / this.config.headDim, this.config.headDim]);
    const { y } = rmsNorm(heads, this.weight(index, norm), { epsilon: this.config.rmsNormEps });
    return rope(reshape(y, [N, width]), positions, this.tables);
  }

  /** Releases the parameters, those of an adapter too, and tables. */
  dispose(): void {
    this.laid?.dispose();
    for (const parameter of this.byName.values()) parameter.dispose();
    this.tables.cos.dispose();
    this.tables.sin.dispose();
  }
}
