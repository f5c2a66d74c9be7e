"""What an earlier release stored gets its place in streams and lists when this one opens the memory."""

import json
import sqlite3
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from insitu.adapters.agreements.closing import RETURNABLE
from insitu.adapters.agreements.store import SQLITE, SqlAgreements
from insitu.adapters.sqlite import SqliteDatabase
from insitu.domain.ids import Address, AgreementId
from insitu.ports.agreement_changes import AddEvent
from insitu.ports.agreement_records import EventRecord
from insitu.ports.bought_agreements import BoughtFilter
from insitu.ports.free_compute import ComputeCaps
from tests.doubles.clock import START
from tests.ports.agreements.agreement_samples import CONSUMER, draft_of, started, terms_of

FIRST, SECOND = AgreementId("01" * 32), AgreementId("02" * 32)
DID = "did:nv:" + "d1" * 32
BEFORE = 11
"""The schema before events had numbers."""


def memory_of_an_earlier_release(path: Path) -> None:
    """Two agreements and the events of their executions, which happened in turn."""
    scripts = sorted(file.name for file in files(SQLITE).iterdir() if file.name.endswith(".sql"))[:BEFORE]
    with sqlite3.connect(path) as db:
        for script in scripts:
            db.executescript((files(SQLITE) / script).read_text("utf-8"))
        for place, agreement in enumerate((FIRST, SECOND)):
            db.execute(
                "INSERT INTO agreements (agreement_id, consumer, free, timeout, terms, standing, start, versions)"
                " VALUES (?, '0x', 0, 100, ?, 'granted', ?, ?)",
                (agreement, terms_of(seed="0" + str(place)).model_dump_json(), 1000 - place, json.dumps({DID: "d2"})),
            )
            plan, dossier = draft_of(agreement)(0)
            db.execute(
                "INSERT INTO executions (execution_id, agreement_id, number, consumer, plan, dossier, created_at)"
                " VALUES (?, ?, 0, '0x', ?, ?, 0)",
                (plan.workflow_execution_id, agreement, plan.model_dump_json(), dossier.model_dump_json()),
            )
            for sequence in (1, 2):
                event = (plan.workflow_execution_id, sequence, 10 * sequence + place, json.dumps({}))
                db.execute("INSERT INTO events VALUES (?, ?, 'note', ?, ?, NULL)", event)
        db.execute(f"PRAGMA user_version = {BEFORE}")


async def test_events_and_agreements_are_numbered_in_the_order_of_time(tmp_path: Path) -> None:
    memory_of_an_earlier_release(tmp_path / "gateway.db")
    async with SqliteDatabase(tmp_path / "gateway.db", SQLITE) as database:
        agreements = SqlAgreements(database)
        first, second = [draft_of(agreement)(0)[0].workflow_execution_id for agreement in (FIRST, SECOND)]
        found = [(event.number, event.execution_id, event.sequence) for event in (await agreements.all_events(0))[1]]
        assert found == [(1, first, 1), (2, second, 1), (3, first, 2), (4, second, 2)]
        listed = [known.agreement_id for known, _ in await agreements.purchases(BoughtFilter(now=0))]
        assert listed == [FIRST, SECOND], "the one whose price was locked later comes first"
        found_on = await agreements.purchases(BoughtFilter(now=0, reading=DID))
        assert [known.agreement_id for known, _ in found_on] == [FIRST, SECOND]
        earned = await agreements.earned(Address(terms_of().receivers[0]), START, datetime.fromtimestamp(1001, UTC))
        assert (earned.received, earned.waiting) == (0, 2), "who is paid is known of earlier agreements, too"
        assert await agreements.open_on([DID], datetime.fromtimestamp(1001, UTC)) == {DID: 2}
        assert (await agreements.reads(DID), await agreements.reads(DID[:-1])) == (True, False)
        third = await started(agreements, AgreementId("03" * 32))
        await agreements.apply([AddEvent(third.execution_id, "note", START, {})])
        reached, (added,) = await agreements.all_events(4)
        assert (reached, added) == (5, EventRecord(1, "note", START, {}, third.execution_id, 5))


async def test_what_anybody_can_ask_of_a_data_set_reads_no_table_to_its_end(tmp_path: Path) -> None:
    """A removal of this provider is an event of a data set that anybody can own, and a block has hundreds of them."""
    async with SqliteDatabase(tmp_path / "gateway.db", SQLITE) as database:
        explained = await database.read(
            lambda db: db.execute(f"EXPLAIN QUERY PLAN {RETURNABLE}", (DID, 0, 20)).fetchall()
        )
    steps = [row["detail"] for row in explained]
    assert steps
    assert not [step for step in steps if step.startswith("SCAN")]


async def test_who_paid_under_the_contracts_of_an_earlier_release_is_no_stranger(tmp_path: Path) -> None:
    memory_of_an_earlier_release(tmp_path / "gateway.db")
    with sqlite3.connect(tmp_path / "gateway.db") as db:
        terms = terms_of().model_dump(mode="json", by_alias=True)
        terms["ddoHash"] = terms.pop("inputsHash")
        db.execute("UPDATE agreements SET terms = ?", (json.dumps(terms),))
        paid = "UPDATE executions SET consumer = ?, charge = '13', settlement_transaction = '0x01', frozen = '{}'"
        db.execute(paid, (CONSUMER.lower(),))
    async with SqliteDatabase(tmp_path / "gateway.db", SQLITE) as database:
        caps = ComputeCaps(strangers=1, coin_price=1)
        assert await SqlAgreements(database).compute_left(caps, CONSUMER, None, START) is None
