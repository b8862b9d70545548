"""Runs files of ONNX in onnxruntime and compares: check_onnx.py FOLDER [--tolerance 1e-4]

FOLDER holds `cases.json`, a list of `file`, `inputs` and `output`, each an array as its shape and
its numbers under the name of their kind. `cargo test -p flow-onnx` writes one and calls this.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime


def array(case: dict) -> np.ndarray:
    (kind,) = set(case) - {"shape"}
    return np.array(case[kind], dtype=kind).reshape(case["shape"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    args = parser.parse_args()
    sessions, worst = {}, {}
    for case in json.loads((args.folder / "cases.json").read_text()):
        name = case["file"]
        if name not in sessions:
            path = str(args.folder / name)
            onnx.checker.check_model(path, full_check=True)
            sessions[name] = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        inputs = {key: array(value) for key, value in case["inputs"].items()}
        (got,) = sessions[name].run(None, inputs)
        expected = array(case["output"])
        assert got.shape == expected.shape, f"{name}: {got.shape} for {expected.shape}"
        off = float(np.abs(got - expected).max())
        size = max(1.0, float(np.abs(expected).max()))
        worst[name] = max(worst.get(name, 0.0), off / size)
    for name, off in worst.items():
        print(f"{off:.1e}  {name}")
    bad = [name for name, off in worst.items() if not off < args.tolerance]
    if bad:
        print(f"off by more than {args.tolerance}: {', '.join(bad)}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
