"""Lays points out with scikit-learn: python sklearn_tsne.py POINTS.bin NUM_POINTS OUT.bin THREADS. Prints seconds and its version."""
import sys
import time

import numpy as np
import sklearn
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

source, count, target, threads = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
points = np.fromfile(source, dtype=np.float32).reshape(count, -1)
with threadpool_limits(threads):
    began, used = time.perf_counter(), time.process_time()
    layout = TSNE(n_components=2, perplexity=30, init="pca", random_state=0, n_jobs=threads).fit_transform(points)
    print(time.perf_counter() - began, time.process_time() - used, sklearn.__version__)
layout.astype(np.float64).tofile(target)
