"""What the scripts of this folder share: runs of `flow` by several processes of MPI."""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n"]


def arguments(about):
    """The options that all scripts have; ends the script where there is no mpirun."""
    if shutil.which("mpirun") is None:
        print("skipped: there is no mpirun, install an MPI (Debian: openmpi-bin libopenmpi-dev)")
        sys.exit(0)
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument(
        "--flow",
        default="target/release/flow",
        help="built by `cargo build --release -p flow-cli --features mpi`",
    )
    return parser


def command(flow, processes, words):
    """The words of `flow`, by so many processes; None is without mpirun."""
    own = [str(pathlib.Path(flow).resolve()), *words]
    return own if processes is None else [*MPIRUN, str(processes), *own]


def run(flow, processes, words, folder):
    return subprocess.run(
        command(flow, processes, words), cwd=folder, capture_output=True, text=True, timeout=300
    )


def lines(folder, kind):
    """The lines of a kind of the log of a run."""
    text = (pathlib.Path(folder) / "metrics.jsonl").read_text()
    return [line for line in map(json.loads, text.splitlines()) if line["kind"] == kind]


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()[:16]


def ranks(launcher):
    """The processes that a running mpirun has started, by rank."""
    found, waiting = {}, [launcher]
    while waiting:
        pid = waiting.pop()
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                text = pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text()
                waiting.extend(int(child) for child in text.split())
            if pid == launcher:
                continue
            values = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        for value in values:
            if value.startswith(b"OMPI_COMM_WORLD_RANK="):
                found[int(value.split(b"=")[1])] = pid
    return found
