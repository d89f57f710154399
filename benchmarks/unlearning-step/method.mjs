// The optimizer and objective of the steps: the paper's weights.
export const HYPERPARAMETERS = {
  lr: 5e-5,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  clipNorm: 1,
};

export const OBJECTIVE = {
  weights: { forgetting: 0.01, replay: 1, mitigation: 1 },
  method: 'complement',
  reduction: 'mean',
};
