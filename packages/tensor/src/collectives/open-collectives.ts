import { alone, type Collectives } from './collectives.js';
import { launchOf } from './launch.js';
import { NativeCollectives } from './native-collectives.js';

/** Seconds that a call waits for other ranks, which may be saving or loading. */
const DEADLINE_SECONDS = 1800;

let opened: Collectives | undefined;

/**
 * The ranks of the job that a launcher started; this process alone where none did, which costs nothing. The same ones
 * whenever it is asked.
 * @param deadline seconds that a call waits for other ranks, Infinity where they may work for days;
 *   LETHE_COLLECTIVE_SECONDS is another number.
 * @throws RangeError where the job cannot be joined, with the remedy.
 */
export function openCollectives(deadline = DEADLINE_SECONDS): Collectives {
  opened ??= open(deadline);
  return opened;
}

function open(wanted: number): Collectives {
  const launch = launchOf();
  if (!launch) return alone;
  if (launch.transport === 'nccl') {
    throw new RangeError(
      `${launch.launcher} has started ${launch.size} processes, which have no MPI to find each other by; start them with mpirun or srun --mpi=pmix: MPI carries what is on the host, NCCL what is on GPUs`,
    );
  }
  const given = process.env['LETHE_COLLECTIVE_SECONDS'];
  const deadline = given === undefined ? wanted : Number(given);
  if (!(deadline > 0)) throw new RangeError(`LETHE_COLLECTIVE_SECONDS: expected seconds above 0, received '${given}'`);
  const ranks = openMpi(deadline);
  if (ranks.size === launch.size) return ranks;
  throw new RangeError(
    `${launch.launcher} has started ${launch.size} processes, and ${ranks.library} sees ${ranks.size}: it is not the launcher's own library; set LETHE_MPI to that one's file`,
  );
}

function openMpi(deadline: number): Collectives {
  try {
    return new NativeCollectives('mpi', deadline);
  } catch (cause) {
    const { message } = cause as Error;
    throw new RangeError(message, { cause });
  }
}
