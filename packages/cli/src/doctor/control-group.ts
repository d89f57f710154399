import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A file of a control group, by its name under version 2 and under version 1. */
interface LimitFile {
  controller: 'cpu' | 'memory';
  v2: string;
  v1: string;
}

/** The file's text in this process's control group and in each one above it. */
function textsOf({ controller, v2, v1 }: LimitFile, root: string): string[] {
  const groups = join(root, 'proc/self/cgroup');
  if (!existsSync(groups)) return [];
  return readFileSync(groups, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [number, controllers = '', ...path] = line.split(':');
      const isV2 = number === '0';
      if (!isV2 && !controllers.split(',').includes(controller)) return [];
      const mount = join(root, 'sys/fs/cgroup', isV2 ? '' : controller);
      return upwards(path.join(':')).map((group) => join(mount, group, isV2 ? v2 : v1));
    })
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8').trim());
}

/** `/a/b`, `/a`, `/`. */
const upwards = (path: string): string[] => (path === '/' || path === '.' ? ['/'] : [path, ...upwards(dirname(path))]);

/** A limit; a group without one says `max`, -1 or, of memory under version 1, a number beyond any machine. */
const limitOf = (text: string): number => (Number(text) > 0 ? Number(text) : Infinity);

/** Processors' worth of time that control groups leave to this process; Infinity without a limit. */
export function processorLimit(root = '/'): number {
  const quotas = textsOf({ controller: 'cpu', v2: 'cpu.max', v1: 'cpu.cfs_quota_us' }, root);
  const periods = textsOf({ controller: 'cpu', v2: 'cpu.max', v1: 'cpu.cfs_period_us' }, root);
  return Math.min(...quotas.map((text, i) => limitOf(text.split(' ')[0]) / Number(periods[i].split(' ').at(-1))));
}

/** Bytes of memory that control groups leave to this process; Infinity without a limit. */
export function memoryLimit(root = '/'): number {
  const file: LimitFile = { controller: 'memory', v2: 'memory.max', v1: 'memory.limit_in_bytes' };
  return Math.min(...textsOf(file, root).map(limitOf));
}
