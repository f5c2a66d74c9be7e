"""Key files: Web3 Secret Storage version 3, readable by other wallets, by their owner only, written once."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from eth_account import Account

from insitu.adapters.keys.keystore import LIGHT, STANDARD, Keystore
from insitu.domain.errors import InsituError

SECRET = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.fixture
def keystore(tmp_path: Path) -> Keystore:
    return Keystore(tmp_path / "keys", LIGHT)


def test_an_empty_keystore_has_no_keys_and_makes_no_folder(keystore: Keystore, tmp_path: Path) -> None:
    assert keystore.list() == ()
    assert not (tmp_path / "keys").exists()


def test_a_created_key_opens_with_its_password_by_name_and_by_address(keystore: Keystore) -> None:
    created = keystore.create("mine", "secret")
    assert [key.name for key in keystore.list()] == ["mine"]
    for way in ("mine", created.address, created.address.lower()):
        assert keystore.open(way, "secret").address == created.address


def test_two_created_keys_differ(keystore: Keystore) -> None:
    assert keystore.create("a", "x").address != keystore.create("b", "x").address


def test_files_and_folder_are_their_owners_only(keystore: Keystore, tmp_path: Path) -> None:
    path = keystore.create("mine", "secret").path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert [file.name for file in (tmp_path / "keys").iterdir()] == ["mine.json"]


def test_other_wallets_read_the_file(keystore: Keystore) -> None:
    stored = keystore.import_hex("mine", "0x" + SECRET, "secret")
    document = json.loads(stored.path.read_text())
    assert document["version"] == 3
    assert bytes(Account.decrypt(document, "secret")).hex() == SECRET
    assert SECRET not in stored.path.read_text()


def test_files_of_other_wallets_are_imported(keystore: Keystore, tmp_path: Path) -> None:
    foreign = tmp_path / "UTC--2030"
    foreign.write_text(json.dumps(Account.encrypt(SECRET, "theirs", kdf="pbkdf2", iterations=10)))
    assert keystore.import_file("mine", foreign, "theirs").address == ADDRESS
    assert keystore.open(ADDRESS, "theirs").address == ADDRESS


def test_a_wrong_password_is_reported_and_shows_neither_password_nor_key(keystore: Keystore) -> None:
    keystore.import_hex("mine", SECRET, "right-password")
    with pytest.raises(InsituError, match="KeyPasswordWrong") as refused:
        keystore.open("mine", "wrong-password")
    assert "wrong-password" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_name_is_taken_once(keystore: Keystore) -> None:
    first = keystore.create("mine", "a")
    with pytest.raises(InsituError, match="KeyExists"):
        keystore.create("mine", "a")
    with pytest.raises(InsituError, match="KeyExists"):
        keystore.import_hex("mine", SECRET, "a")
    assert keystore.open("mine", "a").address == first.address


@pytest.mark.parametrize("name", ["", "../evil", "a/b", ".hidden", "A", "x" * 64, "a\0b", "ä"])
def test_a_name_is_not_a_path(keystore: Keystore, name: str) -> None:
    with pytest.raises(InsituError, match="KeyNameInvalid"):
        keystore.create(name, "a")


@pytest.mark.parametrize("key", ["", "12", "zz" * 32, SECRET + "00", "00" * 32, "ff" * 32])
def test_what_is_not_a_key_is_not_stored(keystore: Keystore, tmp_path: Path, key: str) -> None:
    with pytest.raises(InsituError, match="KeyInvalid"):
        keystore.import_hex("mine", key, "a")
    assert not list((tmp_path / "keys").glob("*.json"))


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"version": 3}', '{"version": 4, "crypto": {}}', '{"version": 3, "crypto": {}, "address": "12"}'],
)
def test_what_is_not_a_key_file_is_refused(keystore: Keystore, tmp_path: Path, content: str) -> None:
    file = tmp_path / "file.json"
    file.write_text(content)
    with pytest.raises(InsituError, match="KeyInvalid"):
        keystore.import_file("mine", file, "a")


def test_a_missing_key_or_file_is_reported(keystore: Keystore, tmp_path: Path) -> None:
    with pytest.raises(InsituError, match="KeyNotFound"):
        keystore.open("nobody", "a")
    with pytest.raises(InsituError, match="KeyNotFound"):
        keystore.import_file("mine", tmp_path / "nothing", "a")


def test_strange_files_in_the_folder_are_not_keys(keystore: Keystore, tmp_path: Path) -> None:
    keystore.create("mine", "a")
    (tmp_path / "keys" / "notes.json").write_text("no json")
    (tmp_path / "keys" / "list.json").write_text("[1]")
    assert [key.name for key in keystore.list()] == ["mine"]


def test_open_or_create_gives_everybody_the_same_key(keystore: Keystore) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: keystore.open_or_create("gateway", "p").address, range(8)))
    assert len(set(found)) == 1
    assert [key.name for key in keystore.list()] == ["gateway"]


def test_keys_that_hold_money_are_slow_to_guess_by_default(tmp_path: Path) -> None:
    stored = Keystore(tmp_path).create("mine", "a")
    assert json.loads(stored.path.read_text())["crypto"]["kdfparams"]["n"] == STANDARD == 2**18
