/** The job that a launcher made this process part of. */
export interface Launch {
  /** For messages: `mpirun (Open MPI)`. */
  launcher: string;
  /** What carries data between its processes. */
  transport: 'mpi' | 'nccl';
  /** Processes, as the launcher says; above 1. */
  size: number;
  /** This process among them. */
  rank: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const number = (text: string | undefined): number => (text === undefined ? 0 : Number.parseInt(text, 10) || 0);

/**
 * The job of this process, from the variables that launchers set; undefined for a process alone, which one of a job of one
 * process is too.
 * @throws RangeError where srun has started several processes that know nothing of each other.
 */
export function launchOf(environment: Environment = process.env): Launch | undefined {
  const { OMPI_COMM_WORLD_SIZE, OMPI_COMM_WORLD_RANK, PMI_SIZE, PMI_RANK, PMIX_RANK } = environment;
  const { SLURM_STEP_NUM_TASKS, SLURM_NTASKS, RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT } = environment;
  const isTorchrun = [RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT].every((value) => value !== undefined);
  const tasks = number(SLURM_STEP_NUM_TASKS);
  const found = [
    { launcher: 'mpirun (Open MPI)', transport: 'mpi', size: number(OMPI_COMM_WORLD_SIZE), rank: OMPI_COMM_WORLD_RANK },
    {
      launcher: tasks > 1 ? 'srun --mpi=pmi2' : 'mpiexec (MPICH)',
      transport: 'mpi',
      size: number(PMI_SIZE),
      rank: PMI_RANK,
    },
    {
      launcher: 'srun --mpi=pmix',
      transport: 'mpi',
      size: PMIX_RANK === undefined ? 0 : tasks || number(SLURM_NTASKS),
      rank: PMIX_RANK,
    },
    { launcher: 'torchrun', transport: 'nccl', size: isTorchrun ? number(WORLD_SIZE) : 0, rank: RANK },
  ] as const;
  const launch = found.find(({ size }) => size > 0);
  if (launch) return launch.size > 1 ? { ...launch, rank: number(launch.rank) } : undefined;
  if (tasks > 1) {
    throw new RangeError(
      `srun has started ${tasks} processes without MPI, which know nothing of each other; use srun --mpi=pmix (srun --mpi=list tells what there is), or srun --ntasks=1`,
    );
  }
  return undefined;
}
