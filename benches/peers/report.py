"""From samples to the three files of a run."""

import csv
from statistics import median, quantiles

# The work whose pace networks are held against.
PRODUCT = "product of two matrices, 2048x2048"


def scaled(seconds):
    """Milliseconds with three digits."""
    return f"{seconds * 1e3:.3g}" if seconds < 1 else f"{seconds * 1e3:.0f}"


def ratio(rounds, key="seconds"):
    """Their time over ours: the median over rounds, and the quartiles."""
    ratios = [theirs[key] / ours[key] for ours, theirs in rounds]
    low, middle, high = quantiles(ratios, n=4, method="inclusive")
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def table(head, rows):
    """A table, or nothing if it has no rows."""
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def seconds_of(race):
    """Of each side, the median over rounds."""
    return [median(side["seconds"] for side in sides) for sides in zip(*race.rounds)]


def peaks(races):
    """Products in a second of the faster side's product of large matrices, by threads."""
    found = {}
    for (title, _, threads), race in races.items():
        if title == PRODUCT:
            pace = race.products / min(seconds_of(race))
            found[threads] = max(found.get(threads, 0.0), pace)
    return found


def shares(race, peak):
    """How much of that pace each side has in a network."""
    if not race.products or peak is None:
        return ""
    return " / ".join(f"{race.products / seconds / peak:.0%}" for seconds in seconds_of(race))


def work_table(races):
    rows, peak = [], peaks(races)
    for (title, rival, threads), race in races.items():
        ours, theirs = seconds_of(race)
        rows.append(
            [
                title,
                threads,
                scaled(ours),
                rival,
                scaled(theirs),
                ratio(race.rounds),
                ratio(race.rounds, "cpu_seconds"),
                shares(race, peak.get(threads)),
                "{:.0f} / {:.0f}".format(*race.memory),
            ]
        )
    head = "work,threads,ours ms,rival,rival ms,ratio,ratio of CPU time,of the GEMM,peak MiB".split(",")
    return table(head, rows)


def step_table(races):
    rows = []
    for (title, rival, threads), race in races.items():
        if race.steps[0] > 1 and title.startswith("dopri5"):
            per_step = [
                median(side["seconds"] for side in sides) / steps * 1e6
                for sides, steps in zip(zip(*race.rounds), race.steps)
            ]
            rows.append([title, f"{per_step[0]:.1f}", rival, f"{per_step[1]:.1f}"])
    return table(["solve", "ours us per step", "rival", "rival us per step"], rows)


def first_table(firsts):
    rows = []
    for title, seconds in firsts.items():
        ours, theirs = (median(side) for side in zip(*seconds))
        spread = sorted(t / o for o, t in seconds)
        row = [title, f"{ours:.3f}", f"{theirs:.2f}", f"{theirs / ours:.0f}"]
        rows.append([*row, f"{spread[0]:.0f} to {spread[-1]:.0f}"])
    head = ["from process start to", "ours s", "PyTorch s", "ratio", "least and largest"]
    return table(head, rows)


def summary(races, firsts, note):
    parts = ["# Ours and theirs", ""] + ([note, ""] if note else [])
    tables = [work_table(races), step_table(races), first_table(firsts)]
    parts.append("\n\n".join(filter(None, tables)))
    return "\n".join(parts) + "\n"


def write_raw(path, races, firsts):
    with open(path, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["work", "threads", "side", "round", "times", "seconds", "cpu_seconds"])
        for (title, rival, threads), race in races.items():
            for i, pair in enumerate(race.rounds):
                for side, sample in zip(("flow-matching", rival), pair):
                    seconds = [f"{sample[key]:.6g}" for key in ("seconds", "cpu_seconds")]
                    out.writerow([title, threads, side, i, sample["times"], *seconds])
        for title, rounds in firsts.items():
            for i, pair in enumerate(rounds):
                for side, seconds in zip(("flow-matching", "PyTorch"), pair):
                    out.writerow([f"start to {title}", "", side, i, 1, f"{seconds:.6g}", ""])
