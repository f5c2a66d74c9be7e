"""Everybody may ask what compute is left: the answer reads neither old executions of an account nor their documents."""

import sqlite3
from pathlib import Path

from insitu.adapters.agreements.compute import compute_left
from insitu.adapters.agreements.store import SQLITE
from insitu.adapters.sqlite import SqliteDatabase
from insitu.ports.free_compute import ComputeCaps
from tests.doubles.clock import START
from tests.doubles.plans import AGREEMENT
from tests.ports.agreements.agreement_samples import CONSUMER


async def test_each_step_of_the_answer_goes_through_an_index_of_what_counts_owes_or_has_paid(tmp_path: Path) -> None:
    caps = ComputeCaps(agreement=1, consumer=1, strangers=1, coin_price=1, pays=True)
    async with SqliteDatabase(tmp_path / "gateway.db", SQLITE):
        pass
    asked = list[str]()
    with sqlite3.connect(tmp_path / "gateway.db") as db:
        db.set_trace_callback(asked.append)
        compute_left(db, caps, CONSUMER, AGREEMENT, START)  # type: ignore[arg-type]  # only its rows have no names
        db.set_trace_callback(None)
        steps = [row[3] for statement in asked for row in db.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()]
    looked_up = [step for step in steps if step.startswith(("SEARCH executions", "SEARCH owing"))]
    assert len(looked_up) == 8
    for step in looked_up:
        assert any(f"INDEX executions_{kind}" in step for kind in ("free", "owing", "paid")), step
    assert not [step for step in steps if step.startswith("SCAN executions")]
