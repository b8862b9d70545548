"""Two programs at the same work, in turns."""

import json
import os
import subprocess
import time
from dataclasses import dataclass, field

SAMPLE_SECONDS = 0.2
LEAST_ROUNDS, MOST_ROUNDS = 3, 15


@dataclass
class Side:
    """A program that answers numbers of repetitions with times."""

    command: list
    environment: dict = field(default_factory=dict)


class Worker:
    """A running side, on the first `threads` cores that this process may use."""

    def __init__(self, side, work, threads):
        self.start = time.perf_counter()
        self.process = subprocess.Popen(
            [*side.command, work, "--threads", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **side.environment},
            preexec_fn=lambda: stay_on(threads),
        )
        self.facts = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(map(str, self.process.args))} ended, see above")
        return json.loads(line)

    def sample(self, times):
        print(times, file=self.process.stdin, flush=True)
        return self.answer()

    def close(self):
        """Ends it; its peak memory in MiB."""
        self.process.stdin.close()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.process.stdout.close()
        return usage.ru_maxrss / 1024


def stay_on(threads):
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


@dataclass
class Race:
    """Seconds and CPU seconds per repetition, round by round, and peak memory in MiB.

    Products are those of the matrices and convolutions of one repetition, 0 where none are counted.
    """

    steps: tuple
    products: float
    parameters: int
    rounds: list
    memory: tuple


def race(sides, works, threads, budget):
    """Both sides in turns for about `budget` seconds, after a warm-up."""
    workers = [Worker(side, work, threads) for side, work in zip(sides, works)]
    parameters = [worker.facts["parameters"] for worker in workers]
    if parameters[0] != parameters[1]:
        raise SystemExit(f"{works[0]}: networks of {parameters} parameters cannot be compared")

    times = []
    for worker in workers:
        worker.sample(1)
        times.append(max(1, round(SAMPLE_SECONDS / worker.sample(1)["seconds"])))
    rounds = []
    end = time.perf_counter() + budget
    while len(rounds) < LEAST_ROUNDS or (
        len(rounds) < MOST_ROUNDS and time.perf_counter() < end
    ):
        rounds.append(tuple(worker.sample(n) for worker, n in zip(workers, times)))
    memory = tuple(worker.close() for worker in workers)
    steps = tuple(worker.facts["steps"] for worker in workers)
    products = workers[0].facts["products"]
    return Race(steps, products, parameters[0], rounds, memory)


def first_answer(sides, work, threads, rounds=5):
    """Seconds from the start of each program to the end of its first repetition."""
    seconds = []
    for _ in range(rounds):
        pair = []
        for side in sides:
            worker = Worker(side, work, threads)
            worker.sample(1)
            pair.append(time.perf_counter() - worker.start)
            worker.close()
        seconds.append(tuple(pair))
    return seconds
