"""The same bits by 1, 2 and 4 processes of MPI, refusals, and processes killed at random moments.

    python3 benches/processes/check.py --flow target/release/flow --kills 20

Prints a line for each check and ends with 1 if one failed.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from launch import arguments, command, digest, lines, ranks, run

RECIPE = ["debug", "--no-eval", "--threads", "1", "--set", "train.parts=4"]
SHORT = ["--set", "train.images=5e4", "--set", "train.checkpoint_every=2e4"]


class Checks:
    def __init__(self, flow):
        self.flow, self.failed = flow, 0

    def that(self, what, holds, more=""):
        self.failed += not holds
        print(f"{'ok    ' if holds else 'FAILED'} {what}{more and ': '}{more}", flush=True)

    def train(self, folder, processes, name, extra=()):
        return run(self.flow, processes, ["train", *RECIPE, *SHORT, "--out", name, *extra], folder)


def bits(run_folder):
    """What must be the same: the model, the newest checkpoint, the losses."""
    newest = sorted((run_folder / "checkpoints").glob("step-*"))[-1]
    parts = [digest(newest / part) for part in ("model.bpk", "optimizer.bpk", "schedule.bpk")]
    log = [*lines(run_folder, "train"), *lines(run_folder, "validation")]
    losses = [(line["kind"], line["step"], line["loss"]) for line in log]
    return digest(run_folder / "model" / "weights.safetensors"), newest.name, parts, losses


def trained(checks, folder):
    """One training by each number of processes."""
    for draw in ("batch", "part"):
        found = {}
        for processes in (None, 1, 2, 3, 4):
            name = f"{draw}-{processes}"
            done = checks.train(folder, processes, name, ["--set", f"train.draw={draw}"])
            if done.returncode != 0:
                checks.that(f"training by {processes} processes", False, done.stderr.strip())
                return
            found[processes] = bits(folder / name)
        same = all(value == found[None] for value in found.values())
        checks.that(f"drawn by {draw}: the same bits without mpirun and by 1, 2, 3, 4 processes", same)


def stopped(checks, folder):
    """A scheduler asks all processes to stop; another number of them goes on."""
    started = subprocess.Popen(
        command(checks.flow, 2, ["train", *RECIPE, *SHORT, "--out", "stopped"]),
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    log = folder / "stopped" / "metrics.jsonl"
    while not (log.exists() and log.stat().st_size):
        time.sleep(0.01)
    for pid in ranks(started.pid).values():
        subprocess.run(["kill", "-TERM", str(pid)], check=False)
    _, said = started.communicate(timeout=60)
    steps = [path.name for path in (folder / "stopped" / "checkpoints").glob("step-*")]
    checks.that("SIGTERM to all processes leaves a checkpoint", len(steps) > 0, str(steps))
    checks.that("and one of them says how to go on", said.count("flow train --resume") >= 1)
    again = run(checks.flow, 4, ["train", "--resume", "stopped", "--no-eval", "--threads", "1"], folder)
    same = again.returncode == 0 and bits(folder / "stopped")[:3] == bits(folder / "batch-None")[:3]
    checks.that("4 processes go on where 2 have stopped, with the same bits", same, again.stderr[-200:] if not same else "")


def sampled(checks, folder):
    """One file of samples by each number of processes."""
    for solver in (["--solver", "midpoint", "--steps", "5"], ["--solver", "dopri5"]):
        for ending in ("npy", "png"):
            found = set()
            for processes in (None, 1, 2, 4):
                out = f"samples-{processes}.{ending}"
                words = ["sample", "batch-None", "-n", "1234", "--batch", "200", "--threads", "1", *solver]
                done = run(checks.flow, processes, [*words, "--out", out], folder)
                found.add(digest(folder / out) if done.returncode == 0 else done.stderr)
            checks.that(f"samples of {' '.join(solver)} as {ending}: the same bytes", len(found) == 1, str(found) if len(found) > 1 else "")


def scored(checks, folder):
    """One file of scores by each number of processes."""
    found = set()
    for processes in (None, 1, 2, 3, 4):
        (folder / "batch-None" / "eval.json").unlink(missing_ok=True)
        done = run(checks.flow, processes, ["eval", "batch-None", "-n", "1001", "--threads", "1"], folder)
        if done.returncode != 0:
            found.add(done.stderr)
            continue
        scores = json.loads((folder / "batch-None" / "eval.json").read_text())
        del scores["seconds"]
        found.add(json.dumps(scores))
    checks.that("scores: the same numbers without mpirun and by 1, 2, 3, 4 processes", len(found) == 1, str(found) if len(found) > 1 else "")


def refused(checks, folder):
    """What cannot work ends with one sentence, and nothing is written."""
    few = [*RECIPE[:-2], "--out", "none"]
    for what, processes, words, sentence in [
        ("fewer parts than processes", 4, ["train", *few], "train.parts is 1"),
        ("a verb of one process", 2, ["likelihood", "batch-None"], "only `flow train`, `flow sample`"),
        ("a bad recipe", 4, ["train", "debug", "--set", "train.batch=-1", "--out", "none"], "train.batch"),
    ]:
        done = run(checks.flow, processes, words, folder)
        said = [line for line in done.stderr.splitlines() if "error:" in line]
        good = done.returncode != 0 and len(said) == 1 and sentence in said[0]
        checks.that(f"{what} is refused in one sentence", good and not (folder / "none").exists(), " | ".join(said))


def killed(checks, folder, kills, seed):
    """Each rank, at random moments: the others end, and what was saved goes on to the same bits."""
    chance, slowest, silent, lost = random.Random(seed), 0.0, 0, 0
    often = ["--set", "train.checkpoint_every=2e3"]
    checks.train(folder, None, "whole", often)
    expected = bits(folder / "whole")[:3]
    for trial in range(kills):
        processes = chance.choice([2, 4])
        rank, name = trial % processes, f"killed-{trial}"
        extra = [*often, "--out", name]
        started = subprocess.Popen(
            command(checks.flow, processes, ["train", *RECIPE, *SHORT[:2], *extra]),
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        checkpoints = folder / name / "checkpoints"
        while not list(checkpoints.glob("step-*")) and started.poll() is None:
            time.sleep(0.005)
        time.sleep(chance.uniform(0.0, 1.0))
        pid = ranks(started.pid).get(rank)
        if pid is None or started.poll() is not None:
            started.communicate()
            checks.that(f"trial {trial}", False, "it had ended before the kill")
            continue
        began = time.monotonic()
        subprocess.run(["kill", "-KILL", str(pid)], check=False)
        _, said = started.communicate(timeout=120)
        slowest = max(slowest, time.monotonic() - began)
        silent += "go on from" not in said and "flow train --resume" not in said
        words = ["train", "--resume", name, "--no-eval", "--threads", "1"]
        again = run(checks.flow, chance.choice([None, 2, 4]), words, folder)
        same = again.returncode == 0 and bits(folder / name)[:3] == expected
        lost += not same
        if not same or "--resume" not in said:
            print(f"trial {trial}: rank {rank} of {processes}: {said[-600:]!r} {again.stderr[-300:]!r}")
    checks.that(f"{kills} kills, {lost} lost", lost == 0)
    checks.that(f"the others ended within {slowest:.1f} s", slowest < 10)
    checks.that(f"without a word of survivors: {silent}", silent == 0)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    checks = Checks(args.flow)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        trained(checks, folder)
        stopped(checks, folder)
        sampled(checks, folder)
        scored(checks, folder)
        refused(checks, folder)
        killed(checks, folder, args.kills, args.seed)
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
