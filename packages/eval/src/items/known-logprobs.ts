/** Log-likelihoods by the ids they are of, for protocols whose prompts are the same text. */
export type KnownLogprobs = Map<string, number[]>;
