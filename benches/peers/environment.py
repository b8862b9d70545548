"""What the comparison needs: packages, our binary, and what the machine is."""

import atexit
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
PACKAGES = ["torch", "torchdiffeq", "POT", "numpy", "scipy"]
# What torchcfm declares (lightning, matplotlib and others) its optimal transport does not need.
WITHOUT_DEPENDENCIES = ["torchcfm"]
# What the binary `flow` asks of glibc at its start: keep freed memory for the next step.
OUR_ALLOCATOR = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "2147483647"}


# The same for PyTorch, and huge pages, which it asks for if it is told to.
KEPT_MEMORY = {**OUR_ALLOCATOR, "THP_MEM_ALLOC_ENABLE": "1"}
# MKL asks this function before it takes its AVX-512 code, which it keeps from other processors than
# Intel's.
MKL = "int mkl_serv_intel_cpu_true(void) { return 1; }\n"


def tuned():
    """Variables of a PyTorch that has every advantage that this machine can give it."""
    compiler = shutil.which("cc")
    if compiler is None:
        print("no cc is there: MKL keeps the code that its wheel takes", file=sys.stderr)
        return KEPT_MEMORY
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    source, library = Path(folder) / "mkl.c", Path(folder) / "libmkl.so"
    source.write_text(MKL)
    run(compiler, "-shared", "-fPIC", "-O2", source, "-o", library)
    return {**KEPT_MEMORY, "LD_PRELOAD": str(library)}


def run(*command):
    print("+", *command, file=sys.stderr, flush=True)
    subprocess.run([str(word) for word in command], check=True, cwd=ROOT)


def output(*command):
    words = [str(word) for word in command]
    return subprocess.run(words, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout


def python():
    """The interpreter of `.venv` in the clone, made and filled if it is not there."""
    folder = ROOT / ".venv"
    interpreter = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not interpreter.exists():
        run(sys.executable, "-m", "venv", folder)
        pip = [interpreter, "-m", "pip", "install", "--quiet"]
        run(*pip, "--extra-index-url", CPU_WHEELS, *PACKAGES)
        run(*pip, "--no-deps", *WITHOUT_DEPENDENCIES)
    return interpreter


def binary():
    """`flow-bench-work`, built."""
    # Beside flow-cli it shares the Burn that `flow` was built with.
    packages = ["--package", "flow-cli", "--package", "flow-benches"]
    build = ["--release", *packages, "--bin", "flow-bench-work"]
    run("cargo", "build", *build)
    metadata = json.loads(output("cargo", "metadata", "--no-deps", "--format-version", "1"))
    return Path(metadata["target_directory"]) / "release" / "flow-bench-work"


def sizes(interpreter):
    """What each side takes on disk."""
    build = ["--release", "--package", "flow-cli", "--package", "flow-benches", "--bin", "flow"]
    run("cargo", "build", *build)
    with tempfile.TemporaryDirectory() as folder:
        stripped = Path(folder) / "flow"
        run("strip", "-o", stripped, binary().with_name("flow"))
        ours = stripped.stat().st_size
    code = "import torch, pathlib; print(pathlib.Path(torch.__file__).parent)"
    files = Path(output(interpreter, "-c", code).strip()).rglob("*")
    theirs = sum(file.stat().st_size for file in files if file.is_file())
    mib = lambda size: f"{size / 2**20:.1f} MiB"
    return {"flow, stripped": mib(ours), "the folder of torch alone": mib(theirs)}


def versions(interpreter):
    """Version of each package, by name."""
    names = PACKAGES + WITHOUT_DEPENDENCIES
    # A part of the work does without some of them.
    code = (
        "import sys, importlib.metadata as m;"
        "known = {d.name.lower(): d.version for d in m.distributions()};"
        "print(*(known.get(name.lower(), 'none') for name in sys.argv[1:]))"
    )
    found = dict(zip(names, output(interpreter, "-c", code, *names).split()))
    python_version = output(interpreter, "-c", "import platform; print(platform.python_version())")
    return {"Python": python_version.strip(), **found}


def machine():
    """The processor in words, and a short name for a folder."""
    model, flags = platform.processor() or platform.machine(), ""
    if os.path.exists("/proc/cpuinfo"):
        lines = dict(
            map(str.strip, line.split(":", 1))
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if ":" in line
        )
        model, flags = lines.get("model name", model), lines.get("flags", "")
    sets = [name for name in ("avx512f", "avx2") if name in flags.split()]
    short = sets[0].removesuffix("f") if sets else platform.machine()
    return f"{model}, {os.cpu_count()} cores, {short}", f"{os.cpu_count()}-core-{short}"


def commit():
    changed = output("git", "status", "--porcelain").strip()
    return output("git", "rev-parse", "--short", "HEAD").strip() + (" (changed)" if changed else "")
