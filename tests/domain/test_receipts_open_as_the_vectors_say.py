"""What stands behind the hashes of a receipt, and what was settled: as the vectors say."""

from typing import Any

import pytest

from insitu.domain.agreement import SignedSettlement
from insitu.domain.dsse import Envelope
from insitu.domain.receipt import VerifiedReceipt, settlement_checks, verify_receipt
from insitu.domain.receipt_opening import Opening, opening_checks
from tests.domain.documents import patched, vector

VECTORS = vector("openings")


def verified(name: str) -> VerifiedReceipt:
    return verify_receipt(Envelope.model_validate(VECTORS["receipts"][name]))


@pytest.mark.parametrize("case", VECTORS["openings"], ids=lambda case: case["name"])
def test_an_opening_holds_as_in_the_vector(case: dict[str, Any]) -> None:
    opening = Opening.model_validate(patched(VECTORS["opening"], case["patch"]))
    checks = opening_checks(verified(case["receipt"]).statement.predicate, opening)
    assert [holds for _, holds in checks] == case["holds"]


@pytest.mark.parametrize("case", VECTORS["settlements"], ids=lambda case: case["name"])
def test_a_settlement_holds_as_in_the_vector(case: dict[str, Any]) -> None:
    checks = settlement_checks(verified("open"), SignedSettlement.model_validate(case["settlement"]))
    assert [holds for _, holds in checks] == case["holds"]
