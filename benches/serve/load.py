"""Load on a server of `flow serve`: right, wrong, abandoned, slow and killed clients at once.

Python's standard library alone. Starts the server itself and prints a table:

    python3 benches/serve/load.py target/release/flow m.flow --seconds 60 --clients 32

Each answer to a right request is compared, byte for byte, with what the same request got alone.
Figures of a run are in docs/serve.md.
"""

import argparse
import http.client
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

RIGHT, WRONG, LEFT = 0.6, 0.2, 0.2
KINDS = 24


def requests(rng, classes):
    """Some right requests: of different sizes, seeds and classes, and of three settings."""
    ways = [{"solver": "rk4", "steps": 4}, {"solver": "euler", "steps": 8}, {"solver": "midpoint", "steps": 5}]
    made = []
    for seed in range(KINDS):
        ask = {"n": rng.choice([1, 1, 4, 16, 64]), "seed": seed, **ways[seed % len(ways)]}
        if classes and rng.random() < 0.5:
            ask["class"] = rng.randrange(classes)
        made.append(json.dumps(ask))
    return made


WRONG_BODIES = ['{"n": 0}', '{"n": 1e9}', '{"steps": "many"}', "[1, 2", '{"solver": "oiler"}', ""]


class Server:
    def __init__(self, flow, model, words):
        self.started = time.perf_counter()
        self.process = subprocess.Popen([flow, "serve", model, "--port", "0", *words], stdout=subprocess.PIPE)
        address = self.process.stdout.readline().decode().strip().removeprefix("http://")
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)

    def connection(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=120)

    def get(self, path):
        connection = self.connection()
        connection.request("GET", path)
        body = connection.getresponse().read()
        connection.close()
        return body

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            lines = dict(line.split(":", 1) for line in status)
        return {name: int(lines[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM")}

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def post(connection, body):
    headers = {"Content-Type": "application/json", "Accept": "application/x-npy"}
    connection.request("POST", "/v1/sample", body, headers)
    response = connection.getresponse()
    return response.status, response.read()


class Client(threading.Thread):
    """Asks until the time is over and keeps how long each answer took."""

    def __init__(self, server, asks, expected, until, seed, mixed):
        super().__init__()
        self.server, self.asks, self.expected, self.until = server, asks, expected, until
        self.rng, self.mixed = random.Random(seed), mixed
        self.times, self.counts, self.faults = [], {"right": 0, "wrong": 0, "left": 0, "busy": 0}, []

    def run(self):
        connection = self.server.connection()
        while time.perf_counter() < self.until:
            dice = self.rng.random() if self.mixed else 0.0
            try:
                if dice < RIGHT:
                    self.right(connection)
                elif dice < RIGHT + WRONG:
                    self.wrong(connection)
                else:
                    self.leave()
            except (OSError, http.client.HTTPException) as error:
                self.faults.append(repr(error))
                connection.close()
                connection = self.server.connection()
        connection.close()

    def right(self, connection):
        which = self.rng.randrange(len(self.asks))
        started = time.perf_counter()
        status, body = post(connection, self.asks[which])
        if status == 429:
            self.counts["busy"] += 1
            time.sleep(0.05)
            return
        self.times.append(time.perf_counter() - started)
        self.counts["right"] += 1
        if status != 200 or body != self.expected[which]:
            self.faults.append(f"{status} and other bytes for {self.asks[which]}")

    def wrong(self, connection):
        status, body = post(connection, self.rng.choice(WRONG_BODIES))
        if status == 429:
            self.counts["busy"] += 1
            return
        self.counts["wrong"] += 1
        if status != 400 or "message" not in json.loads(body)["error"]:
            self.faults.append(f"{status} for a wrong request")

    def leave(self):
        """Asks for much and hangs up without waiting."""
        body = json.dumps({"n": 2000, "steps": 200, "solver": "rk4", "seed": self.rng.randrange(99)})
        connection = self.server.connection()
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/v1/sample", body, headers)
        time.sleep(self.rng.random() * 0.05)
        connection.close()
        self.counts["left"] += 1


def slow_client(server, until, faults):
    """Sends a body a byte at a time: it is cut off after ten seconds and disturbs nobody."""
    while time.perf_counter() < until:
        try:
            with socket.create_connection((server.host, server.port)) as link:
                link.sendall(b"POST /v1/sample HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                             b"Content-Length: 1000\r\n\r\n")
                while time.perf_counter() < until:
                    link.sendall(b" ")
                    time.sleep(0.2)
        except OSError:
            time.sleep(0.1)


def killed_clients(server, until):
    """Processes that ask for much and are killed with SIGKILL."""
    code = ("import http.client,sys\n"
            "c=http.client.HTTPConnection(sys.argv[1],int(sys.argv[2]))\n"
            "c.request('POST','/v1/sample','{\"n\":5000,\"steps\":500,\"solver\":\"rk4\"}',"
            "{'Content-Type':'application/json'})\nprint('sent',flush=True)\nc.getresponse().read()\n")
    killed = 0
    while time.perf_counter() < until:
        child = subprocess.Popen([sys.executable, "-c", code, server.host, str(server.port)],
                                 stdout=subprocess.PIPE)
        child.stdout.readline()
        time.sleep(0.05)
        child.kill()
        child.wait()
        killed += 1
        time.sleep(2)
    return killed


def phase(server, asks, expected, clients, seconds, mixed):
    until = time.perf_counter() + seconds
    threads = [Client(server, asks, expected, until, seed, mixed) for seed in range(clients)]
    faults, killed = [], 0
    slow = threading.Thread(target=slow_client, args=(server, until, faults))
    for thread in threads:
        thread.start()
    if mixed:
        slow.start()
        killed = killed_clients(server, until)
        slow.join()
    for thread in threads:
        thread.join()
    times = sorted(time for thread in threads for time in thread.times)
    counts = {key: sum(thread.counts[key] for thread in threads) for key in threads[0].counts}
    faults += [fault for thread in threads for fault in thread.faults]
    return times, {**counts, "killed": killed}, faults


def line(name, times, counts, seconds):
    at = lambda share: 1000 * times[min(len(times) - 1, int(share * len(times)))]
    print(f"| {name} | {len(times) / seconds:.1f} | {1000 * statistics.fmean(times):.1f} | {at(0.5):.1f} "
          f"| {at(0.99):.1f} | {counts} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("flow", help="the binary, built with the feature serve")
    parser.add_argument("model", help="a run, or a model that flow export wrote")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=32)
    args = parser.parse_args()
    server = Server(args.flow, args.model, ["--max-queue", str(2 * args.clients)])
    card = json.loads(server.get("/v1/model"))
    asks = requests(random.Random(1), card["classes"])
    link = server.connection()
    expected = []
    for i, ask in enumerate(asks):
        status, body = post(link, ask)
        if i == 0:
            print(f"first sample {time.perf_counter() - server.started:.3f} s after the start")
        assert status == 200, body
        expected.append(body)
    link.close()
    before, files = server.memory(), server.files()
    print("| clients | right answers a second | mean ms | p50 ms | p99 ms | requests |\n|---|---|---|---|---|---|")
    quiet = max(5.0, args.seconds / 6)
    times, counts, faults = phase(server, asks, expected, 1, quiet, mixed=False)
    line("1, right requests alone", times, counts, quiet)
    times, counts, more = phase(server, asks, expected, args.clients, quiet, mixed=False)
    line(f"{args.clients}, right requests alone", times, counts, quiet)
    faults += more
    middle = server.memory()
    times, counts, more = phase(server, asks, expected, args.clients, args.seconds / 2, mixed=True)
    half = server.memory()
    later, others, most = phase(server, asks, expected, args.clients, args.seconds / 2, mixed=True)
    times, more = sorted(times + later), more + most
    counts = {key: counts[key] + others[key] for key in counts}
    line(f"{args.clients}, mixed", times, counts, args.seconds)
    faults += more
    time.sleep(2)
    for i, ask in enumerate(asks):
        status, body = post(server.connection(), ask)
        if status != 200 or body != expected[i]:
            faults.append(f"after the load: {status} and other bytes for {ask}")
    metrics = dict(l.split(" ") for l in server.get("/metrics").decode().splitlines() if l.startswith("flow_") and "{" not in l)
    drawn, batches = float(metrics["flow_drawn_requests_total"]), float(metrics["flow_batches_total"])
    print(f"requests for each network solve: {drawn / batches:.2f}; waiting at the end: {metrics['flow_waiting']}")
    print(f"memory in MiB before {before}, before the mixed load {middle}, at its half {half}, after {server.memory()}; open files {files}, {server.files()}")
    print(f"exit code after SIGTERM: {server.stop()}; wrong answers and faults: {len(faults)} {faults[:3]}")
    sys.exit(1 if faults else 0)


main()
