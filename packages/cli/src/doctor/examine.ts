import { checkAddon } from './addon.js';
import { openAddon } from './describe-addon.js';
import { type Finding, problem, reasonOf } from './finding.js';
import { checkGpu } from './gpu.js';
import { checkHub, checkHubCache } from './hub.js';
import { checkNode } from './node-version.js';
import { checkOperators } from './operators.js';
import { checkInstructions, checkThreads } from './processor.js';
import { checkParquet, checkTokenizer } from './reading.js';
import { checkMemory, checkRuns } from './room.js';
import { checkSandbox } from './sandbox.js';
import { checkTfjs } from './tfjs.js';
import { checkVariables } from './variables.js';

/** What is examined beside the machine itself. */
export interface ExamineOptions {
  /** Folder that runs would be written to. */
  runs: string;
  /** Ask the hub. */
  network: boolean;
}

/** The addon, and where it runs, what it finds and computes. */
async function examineAddon(): Promise<Finding[]> {
  const opened = openAddon();
  const findings = [checkAddon(opened)];
  if (findings[0].status === 'problem') return findings;
  findings.push(checkInstructions(opened));
  if (opened.description) findings.push(checkThreads(opened), await checkOperators());
  return [...findings, checkGpu()];
}

type Check = () => Finding | Finding[] | Promise<Finding | Finding[]>;

/** Every check, one after the other, in the order they are told. A check that fails itself is a problem. */
export async function examine({ runs, network }: ExamineOptions): Promise<Finding[]> {
  const checks: [string, Check][] = [
    ['node', () => checkNode()],
    ['addon', examineAddon],
    ['tfjs-node', () => checkTfjs('tensorflow')],
    ['tfjs-wasm', () => checkTfjs('wasm')],
    ['memory', () => checkMemory()],
    ['runs', () => checkRuns(runs)],
    ['tokenizer', () => checkTokenizer()],
    ['parquet', () => checkParquet()],
    ['hub cache', () => checkHubCache()],
    ...(network ? [['hub', () => checkHub()] satisfies [string, Check]] : []),
    ['sandbox', () => checkSandbox()],
    ['variables', () => checkVariables()],
  ];
  const findings: Finding[] = [];
  for (const [name, check] of checks) {
    try {
      findings.push(...[await check()].flat());
    } catch (error) {
      findings.push(problem(name, `the check failed: ${reasonOf(error)}`, 'report this line'));
    }
  }
  return findings;
}
