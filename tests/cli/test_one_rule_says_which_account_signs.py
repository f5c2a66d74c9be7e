"""Where no account is named, the command line and Python choose the key by one rule."""

from collections.abc import Callable
from pathlib import Path

import pytest

import insitu
from insitu.adapters.keys.keystore import LIGHT, Keystore
from insitu.cli.session import Choices, Session
from insitu.domain.errors import InsituError
from insitu.settings.reading import read_settings

EMBEDDED: dict[str, str] = {}
ELSEWHERE = {"chain.rpc_url": "http://127.0.0.1:9"}
Sign = Callable[[Path, dict[str, str]], object]


class ChosenError(Exception):
    """Carries the account instead of opening its key."""


def by_command(home: Path, flags: dict[str, str]) -> None:
    Session(Choices(home=home, flags=tuple(flags.items()))).signer()


def by_python(home: Path, flags: dict[str, str]) -> None:
    insitu.connect(settings=read_settings({}, flags, home))


@pytest.fixture(params=[by_command, by_python])
def sign(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Sign:
    def choose(_: object, account: str, __: object) -> None:
        raise ChosenError(account)

    monkeypatch.setattr("insitu.stack.parts.open_signer", choose)
    monkeypatch.setattr("insitu.stack.client.open_signer", choose)
    for name in ("INSITU_ACCOUNT", "INSITU_URL", "INSITU_KEY_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    found: Sign = request.param
    return found


@pytest.mark.parametrize(
    ("keys", "flags", "account"),
    [
        ((), EMBEDDED, "consumer"),
        (("alice",), EMBEDDED, "alice"),
        (("alice",), ELSEWHERE, "alice"),
        (("alice", "provider"), ELSEWHERE, "alice"),
        (("provider",), EMBEDDED, "consumer"),
    ],
)
def test_the_only_key_else_the_development_account(
    sign: Sign, keys: tuple[str, ...], flags: dict[str, str], account: str, tmp_path: Path
) -> None:
    for name in keys:
        Keystore(tmp_path / "keys", work=LIGHT).create(name, "secret")
    with pytest.raises(ChosenError, match=account):
        sign(tmp_path, flags)


def test_the_variable_is_stronger_than_the_rule(sign: Sign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSITU_ACCOUNT", "carol")
    with pytest.raises(ChosenError, match="carol"):
        sign(tmp_path, EMBEDDED)


@pytest.mark.parametrize(("keys", "code"), [(("alice", "bob"), "KeyAmbiguous"), (("provider",), "KeyNotFound")])
def test_elsewhere_no_key_or_several_are_refused(sign: Sign, keys: tuple[str, ...], code: str, tmp_path: Path) -> None:
    for name in keys:
        Keystore(tmp_path / "keys", work=LIGHT).create(name, "secret")
    with pytest.raises(InsituError, match=code):
        sign(tmp_path, ELSEWHERE)
