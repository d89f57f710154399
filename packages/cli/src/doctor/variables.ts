import { nearestName } from '@lethe/run';
import { type Finding, ok, warning } from './finding.js';

/** Every variable of Lethe's own that something in it reads; a test compares this with the sources. */
export const VARIABLES = [
  'LETHE_API_KEY',
  'LETHE_COLLECTIVE_SECONDS',
  'LETHE_CUBLASLT',
  'LETHE_CUDA_DEVICE',
  'LETHE_CUDA_LIBRARY',
  'LETHE_DATA',
  'LETHE_GEMM',
  'LETHE_HEAD_BYTES',
  'LETHE_HEAD_LOGITS',
  'LETHE_JUDGE_KEY',
  'LETHE_MPI',
  'LETHE_NCCL',
  'LETHE_ROW_CLUSTER',
  'LETHE_SIMD',
  'LETHE_TFJS_NODE',
  'LETHE_TOKENIZER',
  // of tests and benchmarks
  'LETHE_E2E_HERE',
  'LETHE_IFEVAL_GOLDEN',
  'LETHE_PYTHON',
  'LETHE_STRESS',
  'LETHE_STRESS_ENDS',
  'LETHE_STRESS_FIRST',
  'LETHE_STRESS_JOBS',
  'LETHE_STRESS_SECONDS',
  'LETHE_STRESS_SITES',
  'LETHE_TCMALLOC',
  'LETHE_VERBOSE',
  'LETHE_WRITE_CURVES',
];

/** Variables that begin with LETHE_: names only, since some hold keys. */
export function checkVariables(environment: NodeJS.ProcessEnv = process.env): Finding {
  const set = Object.keys(environment).filter((name) => name.toUpperCase().startsWith('LETHE'));
  const unknown = set.filter((name) => !VARIABLES.includes(name));
  if (unknown.length === 0) return ok('variables', set.sort().join(', ') || 'no LETHE_ variable is set');
  const remedy = unknown.map((name) => {
    const near = nearestName(name, VARIABLES);
    return near === undefined ? `unset ${name}` : `did you mean ${near}?`;
  });
  return warning('variables', `${unknown.join(', ')}: Lethe reads no such variable`, remedy.join(' '));
}
