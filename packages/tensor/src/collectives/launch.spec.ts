import { launchOf } from './launch.js';

it.each([
  [
    'Open MPI',
    { OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_RANK: '3' },
    { launcher: 'mpirun (Open MPI)', transport: 'mpi', size: 4, rank: 3 },
  ],
  ['MPICH', { PMI_SIZE: '2', PMI_RANK: '1' }, { launcher: 'mpiexec (MPICH)', transport: 'mpi', size: 2, rank: 1 }],
  [
    'Slurm with PMI-2',
    { PMI_SIZE: '8', PMI_RANK: '5', SLURM_STEP_NUM_TASKS: '8' },
    { launcher: 'srun --mpi=pmi2', transport: 'mpi', size: 8, rank: 5 },
  ],
  [
    'Slurm with PMIx',
    { PMIX_RANK: '1', SLURM_NTASKS: '6' },
    { launcher: 'srun --mpi=pmix', transport: 'mpi', size: 6, rank: 1 },
  ],
  [
    'a step smaller than its job',
    { PMIX_RANK: '1', SLURM_NTASKS: '6', SLURM_STEP_NUM_TASKS: '3' },
    { launcher: 'srun --mpi=pmix', transport: 'mpi', size: 3, rank: 1 },
  ],
  [
    'torchrun',
    { RANK: '0', WORLD_SIZE: '8', MASTER_ADDR: 'a', MASTER_PORT: '29500' },
    { launcher: 'torchrun', transport: 'nccl', size: 8, rank: 0 },
  ],
])('%s is recognised', (_, environment, expected) => expect(launchOf(environment)).toEqual(expected));

it.each([
  ['nothing', {}],
  ['one process of mpirun', { OMPI_COMM_WORLD_SIZE: '1' }],
  ['one task of srun', { PMIX_RANK: '0', SLURM_STEP_NUM_TASKS: '1', SLURM_NTASKS: '1' }],
  ['a batch script without srun', { SLURM_NTASKS: '16' }],
  ['a WORLD_SIZE of something else', { WORLD_SIZE: '8' }],
])('%s is a process alone', (_, environment) => expect(launchOf(environment)).toBeUndefined());

it('tasks of srun that know nothing of each other are refused', () => {
  expect(() => launchOf({ SLURM_STEP_NUM_TASKS: '4', SLURM_NTASKS: '4' })).toThrow(
    'srun has started 4 processes without MPI',
  );
});
