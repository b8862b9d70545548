"""Answers of `flow solve` on held-out images, judged by numbers that share nothing with the model.

Each held-out image is seen in part, and `flow solve` draws images that explain what was seen:

- agreement: the share of answers that a support vector machine of scikit-learn, trained on real
  images alone, takes for the class of the image that was seen;
- PSNR and SSIM of the mean of the answers against the image itself, in dB and up to 1;
- misfit: how badly answers explain what was seen, in standard deviations of its noise (1 is right);
- evaluations of the network for each answer, how many of them have a gradient, and for each question
  seconds and the largest resident memory of the process.

    flow train digits --out RUN
    python3 benches/peers/questions.py digits RUN --flow target/release/flow --out questions.json

`mnist` needs `--data-dir DIR`. Needs: pip install numpy scikit-learn
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from classify import real
from sklearn.svm import SVC

NOISE = 0.05

# A process begins as a copy of the one that starts it, and the system counts that among the largest
# memory that it held (getrusage(2), ru_maxrss). So a small Python starts it, and not this one.
MEASURE = """
import os, sys, time
started = time.perf_counter()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
with open(sys.argv[1], "w") as out:
    print(time.perf_counter() - started, usage.ru_maxrss * 1024, file=out)
sys.exit(os.waitstatus_to_exitcode(status))
"""

METHODS = ["replacement", "dps,scale=0.1", "pigdm,data_std=0.5", "mmps"]


def half_hidden(side):
    """The upper half is seen."""
    mask = np.zeros((side, side), np.float32)
    mask[: side // 2] = 1
    return mask


def problems(side):
    """Name, words of the command line and what is seen of an image."""
    mask = half_hidden(side)
    factor = 2 if side == 8 else 4

    def pooled(image):
        small = image.reshape(side // factor, factor, side // factor, factor)
        return small.mean((1, 3))

    return [
        ("lower half hidden", "mask", lambda image: image),
        (f"{factor} times smaller", f"upsample:{factor}", pooled),
    ]


def ssim(a, b):
    """Structural similarity of two images of numbers from -1 to 1 (Wang et al. 2004), over windows of 7 x 7."""
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    windows = np.lib.stride_tricks.sliding_window_view
    x, y = windows(a, (7, 7)).reshape(-1, 49), windows(b, (7, 7)).reshape(-1, 49)
    mx, my = x.mean(1), y.mean(1)
    vx, vy = x.var(1, ddof=1), y.var(1, ddof=1)
    both = ((x - mx[:, None]) * (y - my[:, None])).sum(1) / 48
    return float(np.mean((2 * mx * my + c1) * (2 * both + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))))


def measured(words, folder):
    """Runs a command: how it ended, its seconds and the bytes of memory that it held at most."""
    script = [sys.executable, "-I", "-S", "-c", MEASURE, str(folder / "cost.txt")]
    done = subprocess.run(script + words, capture_output=True, text=True)
    if not (folder / "cost.txt").exists():
        raise SystemExit(f"{words[0]} cannot be started: {done.stderr}")
    seconds, memory = (folder / "cost.txt").read_text().split()
    return done, {"seconds": float(seconds), "memory": float(memory)}


def ask(args, method, operator, seen, folder):
    """Asks `flow`, and says what it took."""
    np.save(folder / "seen.npy", seen[None] if method == "trained" else seen)
    np.save(folder / "mask.npy", half_hidden(len(seen)))
    if method == "trained":
        words = [args.flow, "sample", str(args.trained), "--given", str(folder / "seen.npy")]
        words += ["-n", str(args.draws), "--solver", "midpoint", "--steps", str(args.steps)]
        words += ["--out", str(folder / "samples.npy")]
    else:
        asked = f"mask:{folder / 'mask.npy'}" if operator == "mask" else operator
        words = [args.flow, "solve", str(args.run), "--operator", asked, "--observe", str(folder / "seen.npy")]
        words += ["--noise", str(NOISE), "--method", method, "--draws", str(args.draws)]
        words += ["--steps", str(args.steps), "--out", str(folder / "out")]
    return measured(words + ["--threads", "1"], folder)


def read(args, method, see, seen, folder):
    """The answers, with their misfit and evaluations."""
    if method != "trained":
        note = json.loads((folder / "out" / "answers.json").read_text())
        return np.load(folder / "out" / "samples.npy").reshape(args.draws, -1), note
    answers = np.load(folder / "samples.npy").reshape(args.draws, -1)
    side = round(answers.shape[1] ** 0.5)
    misfit = [float(np.sqrt(np.mean((see(x.reshape(side, side)) - seen) ** 2)) / NOISE) for x in answers]
    return answers, {"misfit": misfit, "evaluations": 2 * args.steps, "gradients": 0}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", choices=["digits", "mnist"])
    parser.add_argument("run", type=Path)
    parser.add_argument("--flow", default="flow")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--draws", type=int, default=16)
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--methods", nargs="*", default=METHODS)
    parser.add_argument("--trained", type=Path, help="a run of the recipe digits-upsample, set beside them")
    parser.add_argument("--pictures", type=Path, help="folder for the pictures of the first image")
    args = parser.parse_args()

    x, y, x_test, y_test = real(args.data, args.data_dir)
    rng = np.random.default_rng(0)
    judge = SVC(C=10.0, gamma="scale").fit(x[:20_000], y[:20_000])
    chosen = rng.permutation(len(x_test))[: args.images]
    side = round(x.shape[1] ** 0.5)
    rows = []
    for name, operator, see in problems(side):
        trained = ["trained"] if args.trained and operator != "mask" else []
        for method in args.methods + trained:
            if method == "replacement" and operator != "mask":
                label = f"{method} (of means)"
            else:
                label = method
            found = []
            for at in chosen:
                image = x_test[at].reshape(side, side)
                seen = see(image)
                seen = (seen + NOISE * np.random.default_rng(int(at)).normal(size=seen.shape)).astype(np.float32)
                with tempfile.TemporaryDirectory() as folder:
                    done, cost = ask(args, method, operator, seen, Path(folder))
                    if done.returncode != 0:
                        found.append({"failed": done.stderr.strip().splitlines()[-1]})
                        continue
                    answers, note = read(args, method, see, seen, Path(folder))
                    if any(misfit is None for misfit in note["misfit"]):
                        found.append({"failed": "an answer went astray"})
                        continue
                    picture = Path(folder) / "out" / "answers.png"
                    if args.pictures and at == chosen[0] and picture.exists():
                        kept = f"{args.data}-{operator.split(':')[0]}-{method.split(',')[0]}.png"
                        (args.pictures / kept).write_bytes(picture.read_bytes())
                mean = answers.mean(0).reshape(side, side)
                error = np.mean((np.clip(mean, -1, 1) - image) ** 2)
                found.append(
                    {
                        "agreement": float(np.mean(judge.predict(np.clip(answers, -1, 1)) == y_test[at])),
                        "psnr": float(10 * np.log10(4 / error)),
                        "ssim": ssim(np.clip(mean, -1, 1), image),
                        "misfit": float(np.sqrt(np.mean(np.square([float(m) for m in note["misfit"]])))),
                        "evaluations": note["evaluations"],
                        "gradients": note["gradients"],
                        **cost,
                    }
                )
            good = [one for one in found if "failed" not in one]
            row = {"problem": name, "method": label, "images": len(found), "failed": len(found) - len(good)}
            for key in good[0] if good else []:
                values = np.array([one[key] for one in good])
                error = values.std(ddof=1) / len(values) ** 0.5 if 1 < len(values) else 0.0
                row[key] = [float(values.mean()), float(error)]
            rows.append(row)
            print(json.dumps(row), flush=True)
            result = {"judge": float(judge.score(x_test, y_test)), "rows": rows}
            args.out.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
