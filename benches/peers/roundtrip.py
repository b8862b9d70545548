"""What flow-datasets writes, read by pandas, numpy and pyarrow: equal values, equal types.

    cargo build -p flow-datasets --features parquet --example convert
    python benches/peers/roundtrip.py target/debug/examples/convert [TABLE.csv.gz ...]

Random tables and arrays, and the tables named on the line, go through the example `convert` into
every format. Each copy is compared with what pandas or numpy reads from the original. Needs
pandas 3, numpy and pyarrow; the safetensors package is used if it is there. Ends with exit code 1
if anything differs.
"""

import itertools
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
import pyarrow.parquet

try:
    from safetensors.numpy import load_file, save_file
except ImportError:
    load_file = save_file = None

MISSING = ["?", "."]
ENDINGS = ["npy", "npz"] + (["safetensors"] if load_file else [])


def random_table(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Columns of every type, with holes."""
    table = pd.DataFrame(
        {
            "whole": rng.integers(-1000, 1000, rows),
            "real": np.round(rng.normal(size=rows) * 100, 3),
            "tiny": rng.normal(size=rows) * 1e-9,
            "huge": rng.normal(size=rows) * 1e30,
            "word": rng.choice(["a", "b, c", 'say "d"', "Größe", "two\nlines"], rows),
            "code": [f"{code:05}" for code in rng.integers(0, 99999, rows)],
            "flag": rng.choice(["yes", "no"], rows),
        }
    )
    for name in ["real", "tiny", "word"]:
        table.loc[rng.random(rows) < 0.1, name] = None
    return table


def read(path: pathlib.Path) -> pd.DataFrame:
    """A table as the peers read it."""
    name = path.name
    if name.endswith(".parquet"):
        # pyarrow itself, so that the types are those of the file.
        return pyarrow.parquet.read_table(path).to_pandas()
    if name.endswith(".npz"):
        with np.load(path, allow_pickle=False) as arrays:
            return pd.DataFrame({key: arrays[key] for key in arrays.files})
    separator = "\t" if ".tsv" in name else ","
    return pd.read_csv(path, sep=separator, na_values=MISSING, dtype={"code": str})


def same(ours: pd.DataFrame, known: pd.DataFrame) -> list[str]:
    """What differs, as sentences."""
    if list(ours.columns) != list(known.columns) or len(ours) != len(known):
        shapes = [(list(table.columns), len(table)) for table in (ours, known)]
        return [f"columns and rows differ: {shapes}"]
    differences = []
    for name in known.columns:
        a, b = ours[name], known[name]
        if pd.api.types.is_numeric_dtype(b):
            if not np.array_equal(a.to_numpy(float), b.to_numpy(float), equal_nan=True):
                differences.append(f"{name}: numbers differ")
            whole = [pd.api.types.is_integer_dtype(column) for column in (a, b)]
            if whole[0] != whole[1] and not b.isna().any():
                differences.append(f"{name}: {a.dtype} in place of {b.dtype}")
        else:
            # An array of words has no missing value; an empty word stands for it.
            if not a.fillna("").astype(str).equals(b.fillna("").astype(str)):
                differences.append(f"{name}: words differ")
    return differences


def tables(convert: str, folder: pathlib.Path, named: list[str]) -> int:
    """Tables through every format, and from each format back to csv."""
    rng = np.random.default_rng(7)
    originals = []
    for i, rows in enumerate([1, 2, 50, 3000]):
        original = folder / f"random{i}.csv"
        random_table(rng, rows).to_csv(original, index=False)
        originals.append(original)
    failures = 0
    for original in originals + [pathlib.Path(path) for path in named]:
        known = read(original)
        stem = original.name.split(".")[0]
        for ending in ["csv", "tsv", "csv.gz", "tsv.gz", "parquet", "npz"]:
            copy = folder / f"{stem}-copy.{ending}"
            subprocess.run([convert, original, copy], check=True)
            differences = same(read(copy), known)
            if ending == "parquet":
                # What pyarrow writes comes back as well.
                theirs, back = folder / "theirs.parquet", folder / "back.csv"
                for compression in [None, "snappy", "gzip"]:
                    known.to_parquet(theirs, index=False, compression=compression)
                    subprocess.run([convert, theirs, back], check=True)
                    what = same(read(back), known)
                    differences += [f"from pyarrow ({compression}): {each}" for each in what]
            failures += bool(differences)
            verdict = "; ".join(differences) or "equal"
            print(f"{original.name:24} {ending:8} {len(known):6} rows  {verdict}")
    return failures


def random_numbers(rng: np.random.Generator, shape: tuple, code: str) -> np.ndarray:
    """Numbers over the range of a type, whole ones as far as a float of 64 bits counts them."""
    kind = np.dtype(code)
    if kind.kind == "f":
        return (rng.normal(size=shape) * 1000).astype(kind)
    if kind.kind == "b":
        return rng.integers(0, 2, shape).astype(kind)
    limits = np.iinfo(kind)
    low, high = max(limits.min, 1 - 2**53), min(limits.max, 2**53)
    return rng.integers(low, high, shape, dtype=np.int64).astype(kind)


def arrays(convert: str, folder: pathlib.Path) -> int:
    """Arrays of every type, order and rank to npy, npz and safetensors; rows of numbers to csv."""
    rng = np.random.default_rng(8)
    shapes = [(5, 3), (4, 7, 2), (3, 1, 6, 5)]
    types = ["<f4", ">f4", "<f8", ">f8", "<f2", "|u1", "|i1", "<i2", ">i4", "<i8", "<u4", "|b1"]
    failures = 0
    for shape, code, order in itertools.product(shapes, types, "CF"):
        known = np.asarray(random_numbers(rng, shape, code), order=order)
        source = folder / "source.npy"
        np.save(source, known)
        for ending in ENDINGS:
            copy = folder / f"copy.{ending}"
            subprocess.run([convert, source, copy], check=True)
            ours = load_file(copy) if ending == "safetensors" else np.load(copy, allow_pickle=False)
            ours = ours if ending == "npy" else ours["data"]
            # Numbers stay of the type that they are, with the least byte first.
            kept = ours.dtype == known.dtype.newbyteorder("<")
            if not kept or not np.array_equal(ours, known):
                failures += 1
                print(f"{shape} {code} {order} {ending}: differs")
        if len(shape) == 2:
            # Through a table, as text that holds every digit.
            text = folder / "table.csv"
            subprocess.run([convert, source, text], check=True)
            rows = pd.read_csv(text, float_precision="round_trip").to_numpy().astype(known.dtype)
            if not np.array_equal(rows, known):
                failures += 1
                print(f"{shape} {code} {order} csv: differs")
    print(f"arrays of {len(shapes)} shapes, {len(types)} types, 2 orders: {failures} differ")
    if load_file is None:
        print("safetensors is not installed: its arrays are not compared")
        return failures
    known = rng.normal(size=(6, 4)).astype(np.float16)
    save_file({"x": known}, folder / "x.safetensors")
    subprocess.run([convert, folder / "x.safetensors", folder / "x.npy"], check=True)
    ours = np.load(folder / "x.npy")
    return failures + (ours.dtype != known.dtype or not np.array_equal(ours, known))


def main() -> int:
    convert, *named = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        failures = tables(convert, folder, named) + arrays(convert, folder)
    print("everything is equal" if failures == 0 else f"{failures} comparisons failed")
    return int(failures != 0)


if __name__ == "__main__":
    sys.exit(main())
