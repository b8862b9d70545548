r"""The same samples on every road: roads.py --flow FLOW --models FOLDER [--rust ..] [--library ..]

FOLDER holds `digits.flow` and `people.flow`, as make.sh leaves them. 64 samples of one seed are
drawn by the command, the library in Rust, this package, the library in C and the server, and
compared bit by bit; onnxruntime draws them from the same noise within 1e-4, and the page in a
browser within 1e-5. Then the time of each road from the start of a process to its first sample is
measured. What is not there is named and left out. The exit code is 1 if two roads differ.

    cargo build --release -p flow-cli -p flow-c -p flow-model --bin flow --lib --example numbers
    python/tests/make.sh target/release/flow models
    python python/tests/roads.py --flow target/release/flow --models models \
        --rust target/release/examples/numbers --library target/release/libflowmatching.so \
        --site target/web/page
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

import flowmatching as fm
from browser import Browser, Missing

HERE = Path(__file__).resolve().parent
N, SEED, STEPS = 64, 1, 8
# Roads whose arithmetic is another: how far they may be off.
WITHIN = {"onnx": 1e-4, "browser": 1e-5}


class Left(Exception):
    """A road that is not there, with what it lacks."""


def run(*words, **options) -> bytes:
    done = subprocess.run([str(word) for word in words], capture_output=True, **options)
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return done.stdout


class Roads:
    """Each method draws `n` samples of a model, as numbers of its network."""

    def __init__(self, args, scratch: Path) -> None:
        self.args, self.scratch = args, scratch

    def command(self, path: Path, n: int) -> np.ndarray:
        out = self.scratch / f"{path.stem}.npy"
        words = ["-n", n, "--seed", SEED, "--steps", STEPS, "--out", out]
        run(self.args.flow, "sample", path, *words)
        return np.load(out)

    def rust(self, path: Path, n: int) -> np.ndarray:
        if self.args.rust is None:
            raise Left("no --rust: cargo build --release -p flow-model --example numbers")
        return np.frombuffer(run(self.args.rust, path, n, SEED, STEPS), np.float32)

    def python(self, path: Path, n: int) -> np.ndarray:
        return fm.open(path).sample(n, seed=SEED, steps=STEPS, raw=True)

    def c(self, path: Path, n: int) -> np.ndarray:
        program, folder = self.c_program(), Path(self.args.library).parent
        said = run(program, path, n, SEED, STEPS, env={**os.environ, "LD_LIBRARY_PATH": folder})
        return np.frombuffer(said, np.float32)

    def c_program(self) -> Path:
        program = self.scratch / "numbers"
        if self.args.library is None:
            raise Left("no --library: cargo build --release -p flow-c")
        if shutil.which("cc") is None:
            raise Left("no compiler of C")
        if not program.exists():
            crate = HERE.parents[1] / "crates" / "flow-c"
            source = crate / "examples" / "numbers.c"
            words = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-I", crate / "include"]
            links = ["-L", Path(self.args.library).parent, "-lflowmatching", "-o", program]
            run("cc", source, *words, *links)
        return program

    def server(self, path: Path, n: int) -> np.ndarray:
        known = subprocess.run([self.args.flow, "serve", "--help"], capture_output=True)
        if known.returncode:
            raise Left("this build of flow has no server")
        port = 18080
        words = [self.args.flow, "serve", str(path), "--port", str(port)]
        server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            # The state at the end of the way: of a table, before it is read as rows of it.
            body = json.dumps({"n": n, "seed": SEED, "steps": STEPS, "keep": [1.0]}).encode()
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/v1/sample",
                data=body,
                headers={"Content-Type": "application/json"},
            )
            return np.array(json.loads(answer(request))["states"][0], np.float32)
        finally:
            server.terminate()
            server.wait()

    def browser(self, path: Path, n: int) -> np.ndarray:
        if self.args.site is None:
            raise Left("no --site: cargo xtask web")
        try:
            return Browser(self.args.site).samples(path, n, SEED, STEPS)[1]
        except Missing as missing:
            raise Left(str(missing)) from None

    def onnx(self, path: Path, n: int) -> np.ndarray:
        try:
            import onnxruntime
        except ModuleNotFoundError:
            raise Left("no onnxruntime: pip install onnxruntime") from None
        out = self.scratch / f"{path.stem}.onnx"
        run(self.args.flow, "export", path, "--format", "onnx", "--out", out, "--force")
        session = onnxruntime.InferenceSession(str(out.with_suffix(".sampler.onnx")))
        model = fm.open(path)
        inputs = {"start": model.starts(n, seed=SEED), "steps": np.array(STEPS, np.int64)}
        if model.classes:
            inputs["class"] = np.arange(n) % model.classes
            inputs["guidance"] = np.array(guidance_of(model), np.float32)
        return session.run(None, inputs)[0]


def guidance_of(model) -> float:
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        import tomli as tomllib
    return tomllib.loads(model.description)["sample"].get("guidance", 1.0)


def answer(request) -> bytes:
    """What the server says, once it listens."""
    for _ in range(2000):
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()) from None
        except urllib.error.URLError:
            time.sleep(0.005)
    raise RuntimeError("the server does not listen")


def same_bits(roads: Roads, path: Path) -> bool:
    """Prints how each road differs from the library in Python."""
    expected = roads.python(path, N)
    table = fm.open(path).columns is not None
    fine = True
    for name in ["command", "rust", "c", "server", "browser", "onnx"]:
        try:
            if table and name == "command":
                fine &= same_rows(roads, path, name)
                continue
            got = getattr(roads, name)(path, N).reshape(expected.shape)
        except Left as left:
            print(f"| {path.stem} | {name} | left out: {left} |")
            continue
        off = float(np.abs(got - expected).max())
        bits = np.array_equal(got.view(np.uint32), expected.view(np.uint32))
        fine &= off < WITHIN[name] if name in WITHIN else bits
        print(f"| {path.stem} | {name} | {'equal bits' if bits else f'off by {off:.1e}'} |")
    return fine


def same_rows(roads: Roads, path: Path, name: str) -> bool:
    """The command undoes the transforms of a table: its rows beside those of a frame."""
    import pandas

    out = roads.scratch / "rows.csv"
    words = ["-n", N, "--seed", SEED, "--steps", STEPS, "--out", out]
    run(roads.args.flow, "sample", path, *words)
    frame = fm.open(path).sample(N, seed=SEED, steps=STEPS)
    got = pandas.read_csv(out)
    fine = list(got.columns) == list(frame.columns) and bool((got == frame).all(axis=None))
    print(f"| {path.stem} | {name} | {'equal rows' if fine else 'other rows'} |")
    return fine


def first_sample(roads: Roads, path: Path) -> None:
    """Prints the time from the start of a process to its first sample, the median of five."""
    python, onnx = sys.executable, roads.scratch / f"{path.stem}.sampler.onnx"
    ours = f"import flowmatching as fm; fm.open({str(path)!r}).sample(1, steps={STEPS})"
    theirs = "\n".join(
        [
            "import numpy as np, onnxruntime",
            f"session = onnxruntime.InferenceSession({str(onnx)!r})",
            f"inputs = {{'start': np.zeros((1, 1, 8, 8), np.float32), 'steps': np.array({STEPS}),",
            "    'class': np.array([0]), 'guidance': np.array(1.5, np.float32)}",
            "session.run(None, inputs)",
        ]
    )
    ways = {
        "command": lambda: roads.command(path, 1),
        "rust": lambda: roads.rust(path, 1),
        "c": lambda: roads.c(path, 1),
        "server": lambda: roads.server(path, 1),
        "browser, its own start included": lambda: roads.browser(path, 1),
        "python": lambda: run(python, "-c", ours),
        "python, `import flowmatching` alone": lambda: run(python, "-c", "import flowmatching"),
        "python, `import numpy` alone": lambda: run(python, "-c", "import numpy"),
        "onnxruntime": lambda: run(python, "-c", theirs),
        "python, `import torch` alone": lambda: run(python, "-c", "import torch"),
    }
    for name, way in ways.items():
        seconds = []
        try:
            way()  # once before, so that files are in memory
            for _ in range(5):
                start = time.perf_counter()
                way()
                seconds.append(time.perf_counter() - start)
        except (Left, RuntimeError) as left:
            print(f"| {name} | left out: {str(left).strip().splitlines()[-1]} |")
            continue
        print(f"| {name} | {statistics.median(seconds):.3f} s |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flow", required=True, type=Path, help="the command")
    parser.add_argument("--models", required=True, type=Path, help="digits.flow and people.flow")
    parser.add_argument("--rust", type=Path, help="the example `numbers` of flow-model")
    parser.add_argument("--library", type=Path, help="libflowmatching.so of flow-c")
    parser.add_argument("--site", type=Path, help="what `cargo xtask web` wrote")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        roads = Roads(args, Path(scratch))
        print(f"{N} samples of seed {SEED} in {STEPS} steps, beside those of Python\n")
        print("| model | road | |\n|---|---|---|")
        fine = [same_bits(roads, args.models / name) for name in ["digits.flow", "people.flow"]]
        print("\nFrom the start of a process to its first sample\n\n| road | time |\n|---|---|")
        first_sample(roads, args.models / "digits.flow")
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
