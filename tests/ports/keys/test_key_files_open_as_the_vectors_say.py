"""Key files of Web3 Secret Storage, version 3: which password opens which, and what is refused with which code."""

import json
from pathlib import Path
from typing import Any

import pytest

from insitu.adapters.keys.keystore import Keystore
from insitu.domain.errors import InsituError

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "keystore.json"
CASES: dict[str, list[dict[str, Any]]] = json.loads(VECTORS.read_text("utf-8"))


def cases(kind: str) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES[kind]])


def stored(folder: Path, case: dict[str, Any]) -> Path:
    path = folder / "key.json"
    path.write_text(json.dumps(case["file"]), "utf-8")
    path.chmod(0o600)
    return path


@cases("opened")
def test_a_key_file_opens_with_its_password(tmp_path: Path, case: dict[str, Any]) -> None:
    signer = Keystore.open_file(stored(tmp_path, case), case["password"])
    assert signer.address == case["address"]
    copy = Keystore(tmp_path / "keys", work=2).import_hex("copy", case["key"], "other")
    assert copy.address == signer.address


@cases("refused")
def test_a_key_file_is_refused_with_the_reason(tmp_path: Path, case: dict[str, Any]) -> None:
    with pytest.raises(InsituError) as caught:
        Keystore.open_file(stored(tmp_path, case), case["password"])
    assert caught.value.code == case["code"]
    assert case["password"] not in str(caught.value)
