/** The operators of `include/lethe/ops.h`, in the table's order: the position is the index that {@link Addon.run} takes. */
export const operatorNames = [
  'embedding',
  'embedding_backward',
  'rms_norm',
  'rms_norm_backward',
  'linear',
  'linear_backward',
  'rope',
  'attention',
  'attention_backward',
  'swiglu',
  'swiglu_backward',
  'unlearn_head',
  'adamw',
  'global_norm',
  'binary',
  'unary',
  'fill',
  'reduce',
  'matmul',
  'copy_block',
  'convert',
] as const;

/** The name of an operator of the table. */
export type OperatorName = (typeof operatorNames)[number];

/** The index of each operator, by name. */
export const operatorIndex = Object.fromEntries(operatorNames.map((name, index) => [name, index])) as Record<
  OperatorName,
  number
>;

/** The devices, in the order of their index: the fp64-accumulating oracle, the fast CPU, CUDA. */
export const deviceNames = ['reference', 'cpu', 'cuda'] as const;

/** The name of a device. */
export type DeviceName = (typeof deviceNames)[number];

/** The index of each device, by name. */
export const deviceIndex = { reference: 0, cpu: 1, cuda: 2 } as const satisfies Record<DeviceName, number>;

/** The `kind` of `binary`, by name. */
export const binaryKind = { add: 0, sub: 1, mul: 2, div: 3, max: 4, min: 5 } as const;

/** The `kind` of `unary`, by name. */
export const unaryKind = {
  neg: 0,
  square: 1,
  exp: 2,
  log: 3,
  sqrt: 4,
  rsqrt: 5,
  reciprocal: 6,
  abs: 7,
  relu: 8,
  sigmoid: 9,
  tanh: 10,
  step: 11,
  softplus: 12,
} as const;

/** The `kind` of `reduce`, by name. */
export const reduceKind = { sum: 0, mean: 1, max: 2 } as const;

/** The `method` of `unlearn_head`, by name. */
export const unlearnMethod = { complement: 0, ascent: 1, probability: 2, clamped: 3 } as const;
