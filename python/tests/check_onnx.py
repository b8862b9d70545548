"""Checks files of ONNX and runs them in onnxruntime: check_onnx.py FOLDER. See cases.py."""

import sys
from pathlib import Path

import onnx
import onnxruntime

from cases import compare


def load(path: Path):
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda **inputs: session.run(None, inputs)[0]


if __name__ == "__main__":
    sys.exit(compare(Path(sys.argv[1]), 1e-4, load))
