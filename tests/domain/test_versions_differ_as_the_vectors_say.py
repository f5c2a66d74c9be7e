"""Which members a version of a document changes: as the vectors say."""

from dataclasses import asdict
from typing import Any

import pytest

from insitu.domain.ddo import read_ddo
from insitu.domain.version_changes import changes_between
from tests.domain.documents import patched, vector

VECTORS = vector("version-changes")


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_versions_differ_as_in_the_vector(case: dict[str, Any]) -> None:
    after = read_ddo(patched(VECTORS["before"], case["patch"]))
    assert [asdict(change) for change in changes_between(read_ddo(VECTORS["before"]), after)] == case["changes"]
