"""Speed, side by side with peers: `python -m benchmarks` prints one table. One thread each for NumPy and its peers."""

import os

os.environ.update(  # before anything that reads it is imported
    OMP_NUM_THREADS="1",
    XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    NPROC="1",  # the thread pool of JAX, which the flags leave as it is
)
