"""Media types come from one table by the last suffix, so a document is the same on every machine."""

import mimetypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.file_types import SIGNATURES, TEXT_SUFFIXES
from insitu.domain.media_types import _TYPES, UNKNOWN, media_type
from tests.domain.documents import vector

UNNAMED = {".npy", ".pickle", ".pkl", ".rda", ".rdata", ".rds"}
"""Suffixes of the table of file types for which there is no media type."""


@pytest.mark.parametrize("case", vector("media-types"), ids=lambda case: case["name"])
def test_media_types_are_those_of_the_vectors(case: dict[str, str]) -> None:
    assert media_type(case["name"]) == case["mediaType"]


def test_a_machine_that_knows_other_types_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's /etc/mime.types names another type for Parquet files than a machine without that file."""
    monkeypatch.setattr(mimetypes, "guess_type", lambda *_, **__: ("application/x-of-this-machine", None))
    assert media_type("flights.parquet") == "application/vnd.apache.parquet"


def test_every_type_that_may_leave_has_a_media_type() -> None:
    leaving = {*SIGNATURES, *TEXT_SUFFIXES}
    assert leaving - _TYPES.keys() == UNNAMED


@given(st.text(max_size=60))
def test_any_name_has_a_type(name: str) -> None:
    found = media_type(name)
    assert found == UNKNOWN or found in _TYPES.values()
