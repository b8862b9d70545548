"""When do more machines stop paying? A model of a step, and a simulation that checks it.

    python3 benches/processes/model.py

A step of n processes takes

    T(n) = parts/n c + 2 (n - 1) (latency + 4 P / (n bandwidth)) + P (flat + sum + write) + rest

with c the time of a part, P the parameters, and 4 bytes for each: every process sends one slice of its
gradients to each of the others, adds up its own, and sends the sum to each. `flat`, `sum` and `write`
are seconds for each parameter; `rest` is what every process does alike: the optimizer, the average,
and, where whole batches are drawn, the draw.

The simulation lets every process take its own time for a part, log-normal with the spread that was
measured, and walks through the messages one by one: nobody receives what is not sent yet, and a link
carries one message at a time in each direction.
"""

import argparse
import math
import random
import statistics

# Parameters, seconds of a row (forward and backward, one thread), rows of a part, seconds of the rest
# of a step, by `scaling.py` and `parameters` of `flow train --dry-run`.
WORKS = {
    "MLP of checkerboard": (162_690, 1.2e-5, 128, 1e-3),
    "U-Net of digits": (1_192_641, 1.3e-3, 32, 6e-3),
}


def step(n, parts, work, args):
    """Seconds of a step by the formula."""
    parameters, row, rows, rest = work
    compute = math.ceil(parts / n) * row * rows
    if n == 1:
        return compute + rest
    send = 2 * (n - 1) * (args.latency + 4 * parameters / n / args.bandwidth)
    return compute + send + args.handling * parameters + rest


def simulated(n, parts, work, args, chance):
    """Seconds of one step, message by message."""
    parameters, row, rows, rest = work
    own = math.ceil(parts / n)
    spread = args.spread
    compute = [
        sum(row * rows * math.exp(chance.gauss(0, spread) - spread**2 / 2) for _ in range(own))
        for _ in range(n)
    ]
    if n == 1:
        return compute[0] + rest
    at = [time + args.handling / 2 * parameters for time in compute]
    message = 4 * parameters / n / args.bandwidth
    for _ in range(2):
        # In round k everyone sends to the one k places further on, and receives from k before.
        for k in range(1, n):
            at = [max(at[i], at[i - k]) + args.latency + message for i in range(n)]
        at = [time + args.handling / 4 * parameters for time in at]
    return max(at) + rest


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=25e-6, help="seconds of a message and its length")
    parser.add_argument("--bandwidth", type=float, default=10e9 / 8, help="bytes a second")
    parser.add_argument("--handling", type=float, default=1e-8, help="seconds of a parameter")
    parser.add_argument("--spread", type=float, default=0.05, help="of the logarithm of a part")
    parser.add_argument("--steps", type=int, default=200, help="simulated steps")
    args = parser.parse_args()
    counts = [1, 2, 4, 8, 16, 32, 64]
    chance = random.Random(0)
    for name, work in WORKS.items():
        print(f"\n### {name}: {work[0]:,} parameters, parts of {work[2]} rows\n")
        print("| processes | one batch of 64 parts: step, ms | simulated | times faster | a part each: step, ms | simulated | efficiency |")
        print("|---|---|---|---|---|---|---|")
        one, alone = step(1, 64, work, args), step(1, 1, work, args)
        for n in counts:
            told = [
                statistics.mean(simulated(n, parts, work, args, chance) for _ in range(args.steps))
                for parts in (64, n)
            ]
            strong, weak = step(n, 64, work, args), step(n, n, work, args)
            print(
                f"| {n} | {1e3 * strong:.1f} | {1e3 * told[0]:.1f} | {one / told[0]:.1f} "
                f"| {1e3 * weak:.1f} | {1e3 * told[1]:.1f} | {100 * alone / told[1]:.0f} % |"
            )
    print("\nA machine must compute so long in each step for 64 of them to be used by half:\n")
    print("| parameters | seconds |\n|---|---|")
    for parameters in (1e5, 1e6, 1e7, 1e8):
        idle = step(64, 64, (parameters, 0.0, 1, 0.0), args)
        print(f"| {parameters:.0e} | {idle:.3f} |")


if __name__ == "__main__":
    main()
