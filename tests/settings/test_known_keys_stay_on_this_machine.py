"""The accounts of the embedded chain have keys that everybody knows, so only this machine may reach them."""

from pathlib import Path

import pytest

from insitu.cli.app import run
from insitu.domain.errors import InsituError
from insitu.settings.reading import read_settings
from insitu.stack.peers import ACTORS, Actor
from insitu.stack.share import share_of

REACHED_BY_OTHERS = [
    {"server.host": "0.0.0.0"},
    {"server.host": "::"},
    {"server.host": "provider.example"},
    {"server.public_url": "https://provider.example"},
]


def listens(home: Path, flags: dict[str, str], actors: frozenset[Actor] = frozenset(ACTORS)) -> None:
    share_of(read_settings({}, {"server.port": "0", **flags}, home), actors).listening.close()


@pytest.mark.parametrize("flags", REACHED_BY_OTHERS, ids=str)
def test_the_embedded_chain_is_not_served_to_others(tmp_path: Path, flags: dict[str, str]) -> None:
    with pytest.raises(InsituError, match="KnownKeysExposed") as refused:
        listens(tmp_path, flags)
    assert next(iter(flags)) in refused.value.detail
    assert "chain.expose_known_keys" in refused.value.definition.next_step


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"server.host": "::1"},
        {"server.host": "0.0.0.0", "chain.rpc_url": "https://rpc.example"},
        {"server.host": "0.0.0.0", "chain.expose_known_keys": "true"},
    ],
    ids=str,
)
def test_another_chain_or_a_setting_that_says_the_risk_may_be_reached(tmp_path: Path, flags: dict[str, str]) -> None:
    listens(tmp_path, flags)


def test_an_operator_opens_no_chain_and_may_be_reached(tmp_path: Path) -> None:
    listens(tmp_path, {"server.host": "0.0.0.0"}, frozenset({"operator"}))


def test_up_says_so_before_anything_is_started(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["--home", str(tmp_path / "home"), "--json", "--set", "server.host=0.0.0.0", "up"])
    assert code != 0
    assert "KnownKeysExposed" in capsys.readouterr().err
    assert not (tmp_path / "home" / "chain").exists()
