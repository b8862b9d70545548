"""The commands and programs of docs/deploy.md, in their order, in one folder."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text()

# What takes minutes: the runs are those of make.sh, and the libraries are built before.
LONG = ("flow train ", "pip ", "cd python ", "cargo ")

# What a part of the page needs that may not be there.
NEEDS = {"onnxruntime": "onnxruntime", "import torch": "torch", "pandas": "pandas"}


def blocks() -> list[tuple[str, str]]:
    return re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(place, tmp_path):
    """The files that the page speaks of."""
    (tmp_path / "runs").mkdir()
    for name in ["digits", "people"]:
        shutil.copytree(place.path(name), tmp_path / "runs" / name)
    (tmp_path / "crates").symlink_to(ROOT / "crates")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "flow").symlink_to(Path(os.environ["FLOW"]).resolve())
    return tmp_path


def missing(text: str) -> str:
    """The first thing that a part needs and that is not there; nothing if all is."""
    for word, module in NEEDS.items():
        if word in text and subprocess.run([sys.executable, "-c", f"import {module}"]).returncode:
            return module
    if "libflowmatching" in text or "-lflowmatching" in text or "./draw" in text:
        if shutil.which("cc") is None or "FLOW_LIBRARY" not in os.environ:
            return "a compiler of C and FLOW_LIBRARY"
    return ""


def test_the_page_does_what_it_says(folder, capsys):
    library = os.environ.get("FLOW_LIBRARY")
    if library:
        (folder / "target").mkdir()
        (folder / "target" / "release").symlink_to(Path(library).resolve().parent)
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    ran = 0
    for language, text in blocks():
        left = missing(text)
        if left:
            with capsys.disabled():
                print(f"\n{left} is not there: a part of docs/deploy.md is left out")
            continue
        if language == "c":
            (folder / "draw.c").write_text(text)
            continue
        if language == "python":
            words = [sys.executable, "-c", text]
        else:
            lines = [line for line in text.splitlines() if not line.startswith(LONG)]
            words = ["sh", "-euc", "\n".join(lines)]
        done = subprocess.run(
            words, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        ran += 1
    assert ran >= 3
    assert (folder / "digits.sampler.onnx").is_file()
