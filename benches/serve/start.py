"""From the start of a process to its first sample: the command, a server, Python, C, and `import torch`.

Python's standard library alone. What is not there is left out with the reason:

    python3 benches/serve/start.py target/release/flow m.flow --c ./ask

`--c` is `crates/flow-c/examples/ask.c`, built as in crates/flow-c/README.md, with
`LD_LIBRARY_PATH` set. `--python` names an interpreter with `flowmatching`, `torch` or both. Each
start is repeated (`--repeat`), one after the other in turns, so that what else the machine does
falls on all of them; the first turn, which reads files from the disk, is not counted. One sample
is drawn by 8 equal steps of the midpoint rule, from the files of the model to numbers in memory.
"""

import argparse
import http.client
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time

STEPS = 8
ASK = json.dumps({"n": 1, "steps": STEPS, "solver": "midpoint"})
OURS = f"import sys, flowmatching as fm; x = fm.open(sys.argv[1]).sample(1, steps={STEPS}, solver='midpoint'); print(x.shape)"
# What a program in PyTorch has to wait for before it can read any weights.
TORCH = "import torch; print(torch.zeros(1).shape)"


def until_said(words):
    """Seconds until a process has printed a line; it must end well."""
    started = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    line = process.stdout.readline()
    seconds = time.perf_counter() - started
    _, errors = process.communicate()
    if process.returncode != 0 or not line:
        said = errors.decode(errors="replace").strip().splitlines()
        raise RuntimeError(said[-1] if said else f"it ended with {process.returncode}")
    return seconds


def until_answered(flow, model):
    """Seconds until a server that was just started has answered with a sample."""
    started = time.perf_counter()
    process = subprocess.Popen([flow, "serve", model, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        address = process.stdout.readline().decode().strip().removeprefix("http://")
        if not address:
            said = process.stderr.read().decode(errors="replace").strip().splitlines()
            raise RuntimeError(said[-1] if said else "it said no address")
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request("POST", "/v1/sample", ASK, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        answer = reply.read()
        seconds = time.perf_counter() - started
        if reply.status != 200:
            raise RuntimeError(json.loads(answer)["error"]["message"])
        return seconds
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("flow")
    parser.add_argument("model")
    parser.add_argument("--c", metavar="PROGRAM", help="the example ask.c, built")
    parser.add_argument("--python", default=sys.executable, help="an interpreter with flowmatching and torch")
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    folder = tempfile.TemporaryDirectory()
    out = os.path.join(folder.name, "one.npy")
    command = [args.flow, "sample", args.model, "-n", "1", "--steps", str(STEPS), "--solver", "midpoint", "--out", out]
    ways = {
        "`flow sample -n 1`": lambda: until_said(command),
        "`flow serve`, first answer": lambda: until_answered(args.flow, args.model),
        "Python, nothing imported": lambda: until_said([args.python, "-c", "print()"]),
        "Python, `import flowmatching`, open, sample": lambda: until_said([args.python, "-c", OURS, args.model]),
        "Python, `import torch` alone": lambda: until_said([args.python, "-c", TORCH]),
    }
    if args.c:
        ways["C, open, sample"] = lambda: until_said([os.path.abspath(args.c), args.model, "sample", ASK])
    times, left_out = {name: [] for name in ways}, {}
    if not args.c:
        left_out["C, open, sample"] = "no --c: build crates/flow-c/examples/ask.c"
    for turn in range(1 + max(args.repeat, 1)):
        for name, way in ways.items():
            if name in left_out:
                continue
            try:
                seconds = way()
            except (OSError, RuntimeError) as error:
                left_out[name] = str(error)
                continue
            if turn:
                times[name].append(1000 * seconds)
    print(f"{args.model}, {platform.machine()}, {os.cpu_count()} cores, {max(args.repeat, 1)} starts each\n")
    print("| from the start of the process to | median ms | least ms |")
    print("|---|---|---|")
    for name, found in times.items():
        if name not in left_out:
            print(f"| {name} | {statistics.median(found):.0f} | {min(found):.0f} |")
    for name, reason in left_out.items():
        print(f"\n{name} is left out: {reason}")


if __name__ == "__main__":
    main()
