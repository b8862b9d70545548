"""Images per second by 1, 2 and 4 processes of one thread, beside one process of two threads.

    python3 benches/processes/scaling.py --flow target/release/flow

Strong scaling: one batch, shared. Weak scaling: a batch that grows with the processes. The ways take
turns, round by round, so that what else the machine does falls on all of them; medians of rounds.
"""

import json
import pathlib
import resource
import statistics
import subprocess
import tempfile

from launch import arguments, command, lines

# Recipe, its changes, and images of a measurement of one process.
WORKS = {
    "MLP of checkerboard": (["checkerboard"], 512, 150_000),
    "U-Net of digits": (["digits"], 128, 4_000),
}
PARTS = 4
# Name, processes (None is without mpirun), threads, parts, batch over that of the recipe.
WAYS = [
    ("one process, batch whole", None, 1, 1, 1),
    ("one process", None, 1, PARTS, 1),
    ("2 processes", 2, 1, PARTS, 1),
    ("4 processes", 4, 1, PARTS, 1),
    ("one process of 2 threads", None, 2, 1, 1),
    ("2 processes, twice the batch", 2, 1, PARTS, 2),
    ("4 processes, four times the batch", 4, 1, PARTS, 4),
]


def measure(flow, recipe, batch, images, way, folder):
    """Images per second after the first tenth, and CPU seconds of an image."""
    _, processes, threads, parts, grow = way
    batch, images = batch * grow, images * (processes or threads)
    words = ["train", *recipe, "--no-eval", "--out", "run", "--threads", str(threads)]
    changes = {
        "train.batch": batch,
        "train.images": images,
        "train.parts": parts,
        "train.checkpoint_every": 1e9,
        "train.validation_batches": 1,
    }
    for key, value in changes.items():
        words += ["--set", f"{key}={value}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command(flow, processes, words), cwd=folder, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    rates = [line["images_per_second"] for line in lines(pathlib.Path(folder) / "run", "train")]
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return statistics.median(rates[len(rates) // 10 :]), cpu / images


def main():
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="times as many images")
    parser.add_argument("--json", help="a file for every number")
    args = parser.parse_args()
    everything = {}
    for work, (recipe, batch, images) in WORKS.items():
        found = {way[0]: [] for way in WAYS}
        for _ in range(args.rounds):
            for way in WAYS:
                with tempfile.TemporaryDirectory() as folder:
                    many = round(args.scale * images)
                    rate = measure(args.flow, recipe, batch, many, way, folder)
                    found[way[0]].append(rate)
        everything[work] = found
        print(f"\n## {work}, batches of {batch}\n")
        print("| way | images/s | over one process, median of rounds | CPU ms an image |")
        print("|---|---|---|---|")
        base = [rate for rate, _ in found["one process"]]
        for name, rounds in found.items():
            rates = [rate for rate, _ in rounds]
            ratio = statistics.median(rate / one for rate, one in zip(rates, base))
            cpu = 1000 * statistics.median(cpu for _, cpu in rounds)
            print(f"| {name} | {statistics.median(rates):.0f} | {ratio:.2f} | {cpu:.3f} |", flush=True)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
