import * as tf from '@tensorflow/tfjs-core';

/**
 * Registers the kernel UnsortedSegmentSum, which tfjs's WebAssembly backend lacks: y[s] = sum of x[n] where ids[n] = s.
 * x of shape [N, ...], ids int32 [N], y of shape [numSegments, ...]. Ids outside of [0, numSegments) are left out, as in
 * tfjs's other backends.
 */
export function registerSegmentSum(backendName: string): void {
  tf.registerKernel({
    kernelName: 'UnsortedSegmentSum',
    backendName,
    kernelFunc: ({ inputs, attrs, backend: device }) => {
      const backend = device as tf.KernelBackend;
      const { x, segmentIds } = inputs as { x: tf.TensorInfo; segmentIds: tf.TensorInfo };
      const { numSegments } = attrs as unknown as { numSegments: number };
      const values = backend.readSync(x.dataId) as Float32Array;
      const ids = backend.readSync(segmentIds.dataId) as Int32Array;
      const width = values.length / Math.max(ids.length, 1);
      const sums = new Float32Array(numSegments * width);
      ids.forEach((id, n) => {
        if (id < 0 || id >= numSegments) return;
        for (let d = 0; d < width; d++) sums[id * width + d] += values[n * width + d];
      });
      const shape = [numSegments, ...x.shape.slice(1)];
      return { dataId: backend.write(sums, shape, 'float32'), shape, dtype: 'float32' };
    },
  });
}
