"""An installation that sells to strangers allows only deliberately what its machine cannot limit."""

from pathlib import Path

import pytest

from insitu.settings.reading import read_settings
from insitu.stack.infrastructure import allows_unlimited


@pytest.mark.parametrize(
    ("chosen", "for_strangers", "allowed"),
    [(None, True, False), (None, False, True), ("true", True, True), ("false", False, False)],
)
def test_strangers_need_the_setting(tmp_path: Path, chosen: str | None, for_strangers: bool, allowed: bool) -> None:
    flags = {} if chosen is None else {"operator.allow_unlimited": chosen}
    assert allows_unlimited(read_settings({}, flags, tmp_path), for_strangers=for_strangers) is allowed
