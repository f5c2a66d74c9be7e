"""Who may hide and feature assets without a setting: on a development machine its provider, elsewhere nobody."""

from pathlib import Path

import pytest

from insitu.adapters.keys.dev import dev_signer
from insitu.settings.reading import read_settings
from insitu.stack.offers import curators

HERE = "http://127.0.0.1:8030"
PROVIDER, NAMED = dev_signer("provider").address, dev_signer("spare").address


@pytest.mark.parametrize(
    ("flags", "url", "expected"),
    [
        ({}, HERE, (PROVIDER,)),
        ({}, "http://[::1]:8030", (PROVIDER,)),
        ({"metadata.curators": f'["{NAMED}"]'}, HERE, (NAMED,)),
        ({}, "http://market.example", ()),
        ({}, "http://192.168.1.5:8030", ()),
        ({"chain.rpc_url": "https://rpc.example.org"}, HERE, ()),
    ],
)
def test_a_development_account_curates_only_where_nobody_else_comes(
    tmp_path: Path, flags: dict[str, str], url: str, expected: tuple[str, ...]
) -> None:
    assert curators(read_settings({}, flags, tmp_path), url) == expected
