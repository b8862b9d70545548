"""A sparse matrix as SciPy writes it, beside this script: the sums of the rows of 8 x 8 pixels.

    python -m venv /tmp/reference && . /tmp/reference/bin/activate
    pip install scipy
    python rows.py
"""

import pathlib

import numpy as np
import scipy.sparse

rows = scipy.sparse.csr_array(np.kron(np.eye(8), np.ones(8)))
scipy.sparse.save_npz(pathlib.Path(__file__).parent / "rows.npz", rows)
