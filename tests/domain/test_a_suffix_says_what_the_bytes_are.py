"""Types of output: the vectors, files as real software writes them, and bytes that arrive in any pieces."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.file_types import AllowedTypes, common_types, type_problem

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent.parent / "vectors/file-types.json").read_text("utf-8"))


def leaves(name: str, types: list[str], data: bytes, step: int = 1 << 20) -> bool:
    content = AllowedTypes(types).content(name, len(data))
    if content is None:
        return False
    for at in range(0, len(data), step):
        content.feed(data[at : at + step])
    return content.problem() is None


@pytest.mark.parametrize("case", VECTORS["contents"], ids=lambda case: f"{case['name']} {case['hex'][:16]}")
@pytest.mark.parametrize("step", [1, 3, 1 << 20])
def test_a_file_leaves_if_its_bytes_are_what_its_suffix_says(case: dict[str, Any], step: int) -> None:
    assert leaves(case["name"], case["types"], bytes.fromhex(case["hex"]), step) is case["leaves"]


@pytest.mark.parametrize("text", VECTORS["declared"])
def test_a_type_that_can_be_checked_is_accepted(text: str) -> None:
    assert type_problem(text) is None


@pytest.mark.parametrize("text", VECTORS["refused"])
def test_a_type_that_cannot_be_checked_is_refused(text: str) -> None:
    assert type_problem(text)


@pytest.mark.parametrize(("one", "other", "common"), VECTORS["common"])
def test_two_owners_allow_what_both_allow(one: list[str], other: list[str], common: list[str]) -> None:
    assert list(common_types(one, other)) == common
    assert list(common_types(other, one)) == common


def sqlite_file(folder: Path) -> bytes:
    path = folder / "made.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (n)")
    database.close()
    return path.read_bytes()


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def zipped(buffer: io.BytesIO) -> None:
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", "b")


def tarred(buffer: io.BytesIO) -> None:
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))


def plotted(kind: str) -> bytes:
    from matplotlib.figure import Figure

    return written(lambda buffer: Figure().savefig(buffer, format=kind))


FRAME = pd.DataFrame({"größe": [1, 2], "b": ["x", "y"]})
REAL: dict[str, Callable[[Path], bytes]] = {
    ".csv": lambda _: FRAME.to_csv().encode(),
    ".json": lambda _: FRAME.to_json().encode(),
    ".html": lambda _: FRAME.to_html().encode(),
    ".csv.gz": lambda _: gzip.compress(b"a,b\n"),
    ".bz2": lambda _: bz2.compress(b"a"),
    ".xz": lambda _: lzma.compress(b"a"),
    ".zst": lambda _: zstandard.compress(b"a"),
    ".zip": lambda _: written(zipped),
    ".tar": lambda _: written(tarred),
    ".npy": lambda _: written(lambda buffer: np.save(buffer, np.zeros(3))),
    ".npz": lambda _: written(lambda buffer: np.savez(buffer, a=np.zeros(3))),
    ".pkl": lambda _: pickle.dumps(FRAME),
    ".sqlite": sqlite_file,
    ".png": lambda _: plotted("png"),
    ".pdf": lambda _: plotted("pdf"),
    ".svg": lambda _: plotted("svg"),
}


@pytest.mark.parametrize("suffix", REAL)
def test_files_as_software_writes_them_leave(suffix: str, tmp_path: Path) -> None:
    assert type_problem(suffix) is None
    assert leaves("result" + suffix, [suffix], REAL[suffix](tmp_path))


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8")), st.integers(1, 9))
def test_any_text_is_text_in_any_pieces(text: str, step: int) -> None:
    assert leaves("a.txt", [".txt"], text.encode(), step)


@given(st.lists(st.binary(max_size=9), max_size=9))
def test_bytes_are_text_if_and_only_if_they_decode(chunks: list[bytes]) -> None:
    content = AllowedTypes([".txt"]).content("a.txt", sum(map(len, chunks)))
    if content is None:
        raise AssertionError
    for chunk in chunks:
        content.feed(chunk)
    try:
        is_text = "\0" not in b"".join(chunks).decode()
    except UnicodeDecodeError:
        is_text = False
    assert (content.problem() is None) is is_text


types = st.lists(st.sampled_from([".csv", ".gz", ".csv.gz", ".a.csv.gz", ".dcm=text", ".dcm=binary", ".b.dcm"]))
FILES = [("a.csv", b"x"), ("a.csv.gz", b"\x1f\x8b\x08"), ("a.gz", b"\x1f\x8b\x08"), ("x.a.csv.gz", b"x")]
FILES += [("a.dcm", b"\0"), ("a.dcm", b"x"), ("a.b.dcm", b"\0"), ("a.b.dcm", b"x")]


@given(types, types)
def test_a_file_leaves_by_the_common_types_if_and_only_if_by_both(one: list[str], other: list[str]) -> None:
    common = list(common_types(one, other))
    for name, data in FILES:
        assert leaves(name, common, data) == (leaves(name, one, data) and leaves(name, other, data)), name
    assert list(common_types(common, common)) == common
