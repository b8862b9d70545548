r"""A model in headless Chromium: browser.py --site FOLDER --flow FLOW --models FOLDER

The site is what `cargo xtask web` writes. Each model of the folder, as make.sh leaves them, is
opened by the core in the browser; its samples are compared with those of the command within 1e-5.
The page itself is operated as by a person: a toy is chosen and trained, sliders are moved, the toy
becomes a model and is drawn from. Then it is measured how soon the core answers, how fast it
samples and how fast it trains. Without Chromium nothing is done, and the reason is printed. The
exit code is 1 if samples differ, or the page does not do what it is told.

    cargo xtask web
    python python/tests/browser.py --site target/web/page --flow target/release/flow --models models
"""

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

TOLERANCE = 1e-5
N, SEED, STEPS = 64, 1, 8

# Runs a script when the page is there, and sends home what it returns.
RUN = """<script>
addEventListener("load", async () => {
  const started = performance.now();
  let said;
  try {
    said = { value: await (async () => { %s })() };
  } catch (error) {
    said = { error: String(error) };
  }
  await fetch("/said", { method: "POST", body: JSON.stringify(said) });
});
</script>"""

# A page beside the site's own, with the core alone.
BARE = """<!doctype html><meta charset="utf-8"><title>check</title>
<script src="core.js"></script>"""

SAMPLES = """
const core = new Core();
const file = new Uint8Array(await (await fetch("/model.flow")).arrayBuffer());
const card = await core.open(file);
const ready = performance.now() - started;
const times = [];
let answer;
for (let i = 0; i < 3; i++) {
  const began = performance.now();
  answer = await core.json("/v1/sample", %s);
  times.push(performance.now() - began);
}
return { ready, seconds: Math.min(...times) / 1000, size: file.length, card, answer };
"""

# What a person does on the page; it sees the names of its scripts.
OPERATED = """
const until = async (what, good) => {
  for (let i = 0; i < 3000 && !good(); i++) await new Promise((go) => setTimeout(go, 20));
  if (!good()) throw new Error(`the page never came to this: ${what}`);
};
const give = (id, value, ...events) => {
  at(id).value = value;
  for (const name of events) at(id).dispatchEvent(new Event(name, { bubbles: true }));
};
const said = {};
await until("a core", () => at("toy-status").textContent.startsWith("Ready"));
give("set", "two-moons", "input", "change");
give("hidden", "32", "input", "change");
give("train-steps", "40", "input", "change");
const empty = at("loss").toDataURL();
at("run").click();
await until("a trained toy", () => toy.state.of === 40 && toy.state.step === 40 && !toy.running);
said.status = at("toy-status").textContent;
said.losses = toy.losses.length;
said.curve = at("loss").toDataURL() !== empty;

const [points, picture] = [toy.samples, at("toy-view").toDataURL()];
give("toy-steps", "1", "input", "change");
said.shown = at("toy-steps-shown").textContent;
await until("other points", () => toy.samples !== points);
said.moved = at("toy-view").toDataURL() !== picture;

at("use").click();
const answered = () => !at("draw").disabled && at("status").textContent.includes("samples,");
await until("the toy as a model", () => !document.querySelector("main").hidden && answered());
said.tab = at("tab-model").getAttribute("aria-selected");
give("n", "5", "input", "change");
give("seed", "3", "input", "change");
give("solver", "euler", "input", "change");
give("steps", "4", "input");
at("draw").click();
await until("five samples", () => answered() && drawn.body.n === 5);
said.body = drawn.body;
said.same = JSON.stringify((await opened.json("/v1/sample", drawn.body)).rows) ===
  JSON.stringify(drawn.answer.rows);
const end = at("view").toDataURL();
give("t", "0", "input");
said.t = at("t-shown").textContent;
said.flows = at("view").toDataURL() !== end;
return said;
"""

# What must have become of it, but for the pace in the status.
BECAME = {
    "losses": 40, "curve": True, "shown": "1", "moved": True, "tab": "true",
    "body": {"n": 5, "seed": 3, "solver": "euler", "steps": 4}, "same": True, "t": "0.00",
    "flows": True,
}

TRAINING = """
const core = new Core();
await core.json("/v1/train", { set: "checkerboard", hidden: %d, batch: 256 });
await core.json("/v1/train/steps", { count: 5 });
const began = performance.now();
let done = 0;
while (performance.now() - began < 4000) {
  done += (await core.json("/v1/train/steps", { count: 20 })).losses.length;
}
const rate = done / (performance.now() - began) * 1000;
const drawing = performance.now();
await core.json("/v1/train/sample", { n: 2000, solver: "euler", steps: 50 });
return { rate, seconds: (performance.now() - drawing) / 1000 };
"""


class Missing(Exception):
    """What a browser needs and is not there."""


def chromium() -> str:
    for name in ["chromium", "chromium-browser", "google-chrome"]:
        if found := shutil.which(name):
            return found
    raise Missing("no Chromium: apt-get install chromium")


class Browser:
    """The core of a site, in headless Chromium."""

    def __init__(self, site: Path) -> None:
        self.program, self.site = chromium(), Path(site)
        if not (self.site / "flow_web.wasm").is_file():
            raise Missing(f"no flow_web.wasm in {site}: cargo xtask web")

    def run(self, script: str, model: Path | None = None, timeout: float = 300.0, own=False):
        """What a script returns, in a bare page or in the site's `own`."""
        page = (self.site / "index.html").read_text() if own else BARE
        said, site, page = [], self.site, (page + RUN % script).encode()
        came = threading.Event()

        class Handler(SimpleHTTPRequestHandler):
            def __init__(self, *args, **options) -> None:
                super().__init__(*args, directory=str(site), **options)

            def do_GET(self) -> None:
                if self.path == "/check.html":
                    self.give(page, "text/html")
                elif self.path == "/model.flow" and model is not None:
                    self.give(model.read_bytes(), "application/octet-stream")
                else:
                    super().do_GET()

            def do_POST(self) -> None:
                said.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.give(b"", "text/plain")
                came.set()

            def give(self, body: bytes, media: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", media)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            address = f"http://127.0.0.1:{server.server_port}/check.html"
            words = [self.program, "--headless", "--no-sandbox", "--disable-gpu"]
            words += [f"--user-data-dir={profile}", "--remote-debugging-port=0", address]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            browser = subprocess.Popen(words, **quiet)
            try:
                if not came.wait(timeout):
                    raise RuntimeError(f"the page said nothing in {timeout} seconds")
            finally:
                browser.terminate()
                browser.wait()
                server.shutdown()
                server.server_close()
        answer = json.loads(said[0])
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def samples(self, path: Path, n: int, seed: int, steps: int):
        """What the page says of samples of a model, and the numbers of its network."""
        body = {"n": n, "seed": seed, "steps": steps, "keep": [1.0]}
        said = self.run(SAMPLES % json.dumps(body), Path(path))
        # The state at the end of the way: of a table, before it is read as rows of it.
        return said, np.array(said["answer"]["states"][0], np.float32)


def expected(flow: Path, path: Path, scratch: Path) -> np.ndarray | None:
    """What the command draws; nothing for a table, whose rows it writes."""
    out = scratch / f"{path.stem}.npy"
    words = [flow, "sample", path, "-n", N, "--seed", SEED, "--steps", STEPS, "--out", out]
    done = subprocess.run([str(word) for word in words], capture_output=True)
    return np.load(out).reshape(N, -1) if done.returncode == 0 else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", required=True, type=Path, help="what `cargo xtask web` wrote")
    parser.add_argument("--flow", required=True, type=Path, help="the command")
    parser.add_argument("--models", required=True, type=Path, help="a folder of files NAME.flow")
    args = parser.parse_args()
    try:
        browser = Browser(args.site)
    except Missing as missing:
        print(f"left out: {missing}")
        return 0
    core = (args.site / "flow_web.wasm").read_bytes()
    print(f"the core has {len(core)} bytes, {len(gzip.compress(core, 9))} as gzip\n")
    print(f"| model | bytes | off by | ready after | {N} samples in {STEPS} steps |")
    print("|---|---|---|---|---|")
    fine = True
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted(args.models.glob("*.flow")):
            native = expected(args.flow, path, Path(scratch))
            if native is None:
                print(f"| {path.stem} | | left out: a table, see roads.py | | |")
                continue
            said, got = browser.samples(path, N, SEED, STEPS)
            off = float(np.abs(got - native).max())
            fine &= off < TOLERANCE
            times = f"{said['ready']:.0f} ms | {said['seconds']:.3f} s"
            print(f"| {path.stem} | {said['size']} | {off:.1e} | {times} |")
    said = browser.run(OPERATED, own=True)
    status = said.pop("status")
    fine &= said == BECAME and status.startswith("Step 40 of 40, ")
    print(f"\nthe page was operated: {status} {'' if said == BECAME else said}")
    print("\n| width of the toy's network | steps a second | 2,000 points in 50 steps |")
    print("|---|---|---|")
    for hidden in [64, 128, 256]:
        said = browser.run(TRAINING % hidden)
        print(f"| {hidden} | {said['rate']:.0f} | {said['seconds']:.2f} s |")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
