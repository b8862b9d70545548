"""Runs the same work here and in PyTorch, torchdiffeq, POT, torchcfm and scipy, in turns.

    cargo xtask bench --against torch
    python3 benches/peers/run.py --only mlp-train-256 norm-silu --threads 1
    python3 benches/peers/run.py --tuned --only 'dit-*' product-2048

Both sides work on the same cores with the same number of threads and with networks of equal
parameter counts. The table goes to the terminal; that of a whole run is kept, with the raw times,
in benches/runs/<date>-<machine>/. See benches/README.md.
"""

import argparse
import datetime
import fnmatch
import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import environment
import report
from race import Side, first_answer, race

TORCH = "PyTorch"
# The same with all that makes it faster: see environment.tuned and the ways of work.py.
TUNED = "PyTorch tuned"
# Title, our work, rivals: (name, their work).
NETWORKS = [
    (report.PRODUCT, "product-2048"),
    ("MLP 3x256, train step, 256 points", "mlp-train-256"),
    ("MLP 3x256, train step, 4096 points", "mlp-train-4096"),
    ("U-Net 1x8x8, train step, 64 images", "unet-train-8"),
    ("U-Net 1x28x28, train step, 64 images", "unet-train-28"),
    ("U-Net 3x32x32, train step, 64 images", "unet-train-32"),
    ("transformer S/4 1x28x28, 49 tokens, train step, 16 images", "dit-train-28-4"),
    ("transformer S/4 3x32x32, 64 tokens, train step, 16 images", "dit-train-32-4"),
    ("transformer S/2 3x32x32, 256 tokens, train step, 4 images", "dit-train-32-2"),
    ("transformer S/2 3x64x64, 1,024 tokens, train step, 1 image", "dit-train-64-2"),
    ("transformer S/4 1x28x28, 49 tokens, forward, 16 images", "dit-forward-28-4"),
    ("transformer S/4 3x32x32, 64 tokens, forward, 16 images", "dit-forward-32-4"),
    ("transformer S/2 3x32x32, 256 tokens, forward, 4 images", "dit-forward-32-2"),
    ("transformer S/2 3x64x64, 1,024 tokens, forward, 1 image", "dit-forward-64-2"),
    ("MLP, 10,000 points, 10 Euler steps", "mlp-sample-10000"),
    ("U-Net 1x8x8, forward, 64 images", "unet-forward-8"),
    ("U-Net 1x28x28, forward, 64 images", "unet-forward-28"),
    ("U-Net 3x32x32, forward, 64 images", "unet-forward-32"),
    ("convolution 3x3, 64 to 64, 32x32, with backward", "conv-3x3"),
    ("group norm + SiLU, 64x64x32x32, with backward", "norm-silu"),
]
# How a train step grows with batch, dimension and channels, beside the rows above; on one thread.
GROWTH = [
    ("MLP 3x256, train step, 64 points", "mlp-train-64"),
    ("MLP 3x256, train step, 1024 points", "mlp-train-1024"),
    ("MLP 3x256, train step, 256 points of 64 numbers", "mlp-train-256-dim-64"),
    ("MLP 3x256, train step, 256 points of 784 numbers", "mlp-train-256-dim-784"),
    ("U-Net 1x8x8 of 16 channels, train step, 64 images", "unet-train-8-channels-16"),
    ("U-Net 1x8x8 of 64 channels, train step, 64 images", "unet-train-8-channels-64"),
]
# With operands of large products rounded, which takes a CPU with bfloat16 (`--bf16`).
ROUNDED = [
    ("MLP 3x256, train step in bf16, 4096 points", "mlp-train-4096"),
    ("U-Net 1x28x28, train step in bf16, 64 images", "unet-train-28"),
    ("transformer S/4 1x28x28, 49 tokens, train step in bf16, 16 images", "dit-train-28-4"),
]
# Where the rival's compiler has minutes to make it faster; on one thread.
COMPILED = ["mlp-train-256", "mlp-train-4096", "unet-train-8"]
# Done with one thread alone: nothing in them is shared among threads on either side.
SERIAL = [
    ("dopri5, 100 steps, 64x2", "solve-64x2", ["torchdiffeq"]),
    ("dopri5, 100 steps, 64x3x32x32", "solve-64x3x32x32", ["torchdiffeq"]),
    ("exact coupling, 64 points", "coupling-64", ["POT", "scipy", "torchcfm"]),
    ("exact coupling, 256 points", "coupling-256", ["POT", "scipy", "torchcfm"]),
    ("exact coupling, 1024 points", "coupling-1024", ["POT", "scipy", "torchcfm"]),
]
FIRST = [
    ("the first point, MLP, 10 Euler steps", "mlp-sample-1"),
    ("the first digit, U-Net 1x8x8, 10 Euler steps", "unet-sample-1"),
    ("1,000 points, MLP, 10 Euler steps", "mlp-sample-1000"),
    ("1,000 digits, U-Net 1x8x8, 10 Euler steps", "unet-sample-1000"),
]


def ways(work):
    """Ways in which a tuned PyTorch does a work, in words of work.py; none for other works."""
    layouts = ["", "channels-last"] if work.startswith("unet") else [""]
    if "-train-" in work:
        return ["+".join(filter(None, ["fused", layout])) for layout in layouts]
    if "-forward-" in work:
        return [*layouts, "script"]
    return [""] if work == "product-2048" else []


def entries(threads, tuned, bf16):
    """(title, rival, threads, our work, their work) of every race."""
    for n in threads if tuned else []:
        for title, work in NETWORKS:
            for way in ways(work):
                rival, name = (f"{TUNED}, {way}", f"{work}/{way}") if way else (TUNED, work)
                yield title, rival, n, work, name
    if tuned:
        return
    for n in threads:
        yield from ((title, TORCH, n, work, work) for title, work in NETWORKS)
        for title, work in ROUNDED if bf16 else []:
            yield title, "autocast to bf16", n, f"{work}-bf16", f"{work}/bf16"
    yield from ((title, TORCH, 1, work, work) for title, work in GROWTH)
    for title, work in NETWORKS:
        if work in COMPILED:
            yield title, "torch.compile", 1, work, f"{work}/compiled"
    for title, work, rivals in SERIAL:
        for rival in rivals:
            yield title, rival, 1, work, f"{work}/{rival}" if len(rivals) > 1 else work


def main():
    words, short = environment.machine()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    names = "names of benches/src/lib.rs, also with wildcards: 'dit-*'"
    parser.add_argument("--only", nargs="+", metavar="WORK", help=names)
    tuned = "beside the fastest PyTorch: kept memory, MKL's AVX-512 code, every way in a row"
    parser.add_argument("--tuned", action="store_true", help=tuned)
    parser.add_argument("--keep", action="store_true", help="keep the files of a part too")
    parser.add_argument("--bf16", action="store_true", help="train steps in bfloat16 too")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each race, about")
    parser.add_argument("--python", type=Path, help="use this interpreter and its packages")
    parser.add_argument("--binary", type=Path, help="use this flow-bench-work, do not build it")
    parser.add_argument("--machine", default=short, help="its name in the folder of the run")
    parser.add_argument("--note", default="", help="what else the machine did, to be kept")
    args = parser.parse_args()

    here = Path(__file__).resolve().parent
    interpreter = args.python or environment.python()
    versions = environment.versions(interpreter)
    print(*(f"{name} {version}" for name, version in versions.items()), sep=", ")
    ours = Side([args.binary or environment.binary()], environment.OUR_ALLOCATOR)
    advantages = environment.tuned() if args.tuned else {}
    theirs = Side(
        [interpreter, here / "work.py"], {"PYTHONDONTWRITEBYTECODE": "1", **advantages}
    )

    fits = lambda work: any(fnmatch.fnmatch(work, name) for name in args.only)
    chosen = lambda work: not args.only or fits(work)
    races, firsts = {}, {}
    for title, rival, threads, our_work, their_work in entries(args.threads, args.tuned, args.bf16):
        if chosen(our_work):
            result = race((ours, theirs), (our_work, their_work), threads, args.seconds)
            races[title, rival, threads] = result
            ratio = report.ratio(result.rounds)
            print(f"{title}, {rival}, {threads} threads: {ratio}", file=sys.stderr, flush=True)
    for title, work in [] if args.tuned else FIRST:
        if chosen(work):
            firsts[title] = first_answer((ours, theirs), work, max(args.threads))

    text = report.summary(races, firsts, args.note)
    print(text)
    if args.keep or not args.only:
        facts = {**versions, **environment.sizes(interpreter)}
        keep(text, races, firsts, words, args, facts)


def keep(text, races, firsts, words, args, more):
    """Writes the files of a run."""
    date = datetime.date.today().isoformat()
    folder = environment.ROOT / "benches" / "runs" / f"{date}-{args.machine}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.md").write_text(text)
    report.write_raw(folder / "raw.csv", races, firsts)
    facts = {
        "machine": words,
        "commit": environment.commit(),
        "command": f"python3 benches/peers/run.py {' '.join(sys.argv[1:])}".strip(),
        **more,
    }
    lines = [f"# {date}, {words}", "", *(f"- {name}: {fact}" for name, fact in facts.items())]
    lines += ["", "What the columns mean: [benches/README.md](../../README.md)."]
    (folder / "README.md").write_text("\n".join(lines) + "\n")
    print(f"kept in {os.path.relpath(folder)}")


if __name__ == "__main__":
    main()
