"""The key of a publication, and signed requests to the registry, are the same in every implementation."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from insitu.domain.publication_key import publication_key
from insitu.domain.signatures import recover_address
from insitu.domain.signed_request import SignedRequest

VECTORS = Path(__file__).parent.parent / "vectors"
KEYS: list[dict[str, Any]] = json.loads((VECTORS / "publication-keys.json").read_text("utf-8"))["cases"]
REQUESTS: list[dict[str, Any]] = json.loads((VECTORS / "signed-requests.json").read_text("utf-8"))["requests"]


def key_of(case: dict[str, Any]) -> str:
    return publication_key(
        case["chainId"], case["registry"], case["gateway"], case["creator"], case["description"], case["digests"]
    )


@pytest.mark.parametrize("case", KEYS, ids=[case["what"] for case in KEYS])
def test_a_key_is_that_of_the_vectors(case: dict[str, Any]) -> None:
    assert key_of(case) == case["key"]


def test_only_the_same_bytes_uploaded_again_share_a_key() -> None:
    keys = [case["key"] for case in KEYS]
    same = [case["key"] for case in KEYS if "ab" * 32 in case["digests"].values()]
    assert len(same) == 2
    assert len(set(keys)) == len(keys) - 1


@pytest.mark.parametrize("case", REQUESTS, ids=[case["what"] for case in REQUESTS])
def test_a_signed_request_is_that_of_the_vectors(case: dict[str, Any]) -> None:
    request = SignedRequest.model_validate(case["request"])
    assert "0x" + request.digest.hex() == case["digest"]
    assert recover_address(request.digest, request.signature) == case["signer"]
    assert list(request.dids) == case["dids"]
    assert request.model_dump(mode="json", exclude_none=True) == case["request"]


@pytest.mark.parametrize("change", [{"signature": "0x12"}, {"transfer": {}}, {"registry": "me"}, {"more": 1}])
def test_a_crooked_request_is_not_read(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SignedRequest.model_validate(REQUESTS[0]["request"] | change)
