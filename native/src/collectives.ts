/** Kinds of collectives by the numbers of native/collectives/transport.h. */
export const collectiveKind = { allReduce: 0, reduceScatter: 1, allGather: 2, broadcast: 3, barrier: 4 } as const;
export type CollectiveKind = keyof typeof collectiveKind;
