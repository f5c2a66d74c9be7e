"""Copies of bought documents in the gateway's memory: kept as long as any agreement needs them, and no longer."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from insitu.adapters.agreements.rows import json_object
from insitu.adapters.agreements.store import SQLITE, SqlAgreements
from insitu.adapters.sqlite import SqliteDatabase
from insitu.domain.agreement import Terms, TermsV1
from insitu.ports.agreement_changes import KeepCopy, Remember
from insitu.ports.agreements import Agreements
from tests.doubles.clock import START
from tests.doubles.plans import AGREEMENT, DATA
from tests.ports.agreements.agreement_samples import terms_of

DAY = timedelta(days=1)
DOCUMENT: dict[str, Any] = {"id": DATA, "ä\x00": [1, 2.5, None, "naïve \U0001f600"], "b": {"a": True}}


def copy(until: datetime, checksum: str = "d2" * 32, document: dict[str, Any] | None = None) -> KeepCopy:
    return KeepCopy(DATA, checksum, 7, document or DOCUMENT, until)


async def test_a_copy_is_what_was_kept(agreements: Agreements) -> None:
    await agreements.apply([copy(START)])
    kept = await agreements.copy(DATA, "d2" * 32)
    assert kept == (DOCUMENT, 7)
    assert kept is not None
    assert list(kept[0]) == list(DOCUMENT)


async def test_each_version_has_its_own_copy(agreements: Agreements) -> None:
    await agreements.apply([copy(START), copy(START, "d3" * 32, {"id": "other"})])
    assert await agreements.copy(DATA, "d3" * 32) == ({"id": "other"}, 7)
    assert await agreements.copy(DATA, "d4" * 32) is None


async def test_a_copy_stays_until_the_last_agreement_needs_it_no_more(agreements: Agreements) -> None:
    await agreements.apply([copy(START + 2 * DAY), copy(START + DAY)])
    await agreements.remove_copies(START + 2 * DAY)
    assert await agreements.copy(DATA, "d2" * 32) == (DOCUMENT, 7)
    await agreements.remove_copies(START + 2 * DAY + timedelta(seconds=1))
    assert await agreements.copy(DATA, "d2" * 32) is None


async def test_keeping_a_copy_again_repairs_it(agreements: Agreements) -> None:
    await agreements.apply([copy(START, document={"id": "edited"}), copy(START)])
    assert await agreements.copy(DATA, "d2" * 32) == (DOCUMENT, 7)


def test_a_copy_that_is_not_an_object_any_more_proves_nothing() -> None:
    assert json_object("[" * 100_000) == json_object("not JSON") == json_object("[1]") == {}


async def test_an_agreement_of_earlier_contracts_can_still_be_shown(tmp_path: Path) -> None:
    async with SqliteDatabase(tmp_path / "gateway.db", SQLITE) as file:
        agreements, terms = SqlAgreements(file), terms_of()
        await agreements.apply([Remember(AGREEMENT, terms)])
        rename = "UPDATE agreements SET terms = replace(terms, 'inputsHash', 'ddoHash')"
        await file.write(lambda db: db.execute(rename))
        known = await agreements.agreement(AGREEMENT)
        assert known is not None
        assert isinstance(known.terms, TermsV1)
        assert Terms.model_validate(known.terms.model_dump(by_alias=False)) == terms
