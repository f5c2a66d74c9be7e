"""Searching a catalogue of 100,000 assets: PostgreSQL beside SQLite, the same assets and the same queries."""

import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import anyio
import httpx
import psycopg

from bench.table import Row, show
from insitu.adapters import postgresql, sqlite
from insitu.adapters.catalog.fts5 import Fts5
from insitu.adapters.catalog.fulltext import FullText
from insitu.adapters.catalog.listing import LISTED, RETIRED, SUMMARY, comparable, enlist, fields_of, price_text
from insitu.adapters.catalog.postgresql import MIGRATIONS
from insitu.adapters.catalog.store import SqlCatalog
from insitu.adapters.catalog.tsvector import Tsvector
from insitu.adapters.sql import Connection, Database
from insitu.domain.ids import Address
from insitu.marketplace.samples import STRICT, document
from insitu.metadata.service import MetadataService
from insitu.ports.catalog import DocumentVersion, Query, Summary
from tests.doubles.catalogue import GatewaysDouble
from tests.doubles.postgresql import running_postgresql
from tests.marketplace.conftest import application, build

__all__ = ["measure"]

ASSETS = 100_000
BATCH = 5_000
QUERIES = 440
WARMING = 50
"""The first queries, which are not counted."""
INDEX = "asset_by_words_and_facets"
RULES = [("any", (".csv", ".png", "log")), ("algorithms", (".csv", "no log")), ("publishers", ("any file", "log"))]
"""What may run and what may leave, of the data sets that offer to compute."""
PAST = 100
"""One of so many assets is retired."""
FACETS = "facets of all of these"
GOAL = 50.0
"""Milliseconds for 95 of 100 searches."""
PAGES_GOAL = 60.0
"""The same for pages, with facets and twenty cards."""


class _Words:
    """A language of 20,000 words, used as words are: the n-th most frequent one n times less than the first."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "ol")]
        found: dict[str, None] = {}
        while len(found) < 20_000:
            found["".join(self.random.choices(syllables, k=self.random.choice((2, 3, 3, 4))))] = None
        self.all = list(found)
        self._weights = [1 / (rank + 3) for rank in range(len(self.all))]
        self._stock = self._drawn()

    def some(self, number: int) -> list[str]:
        return list(islice(self._stock, number))

    def _drawn(self) -> Iterator[str]:
        while True:
            yield from self.random.choices(self.all, self._weights, k=10_000)


def _address(number: int) -> Address:
    return Address(f"0x{number:040x}")


def _assets(words: _Words) -> Iterator[DocumentVersion]:
    chance = words.random
    for number in range(ASSETS):
        summary = Summary(
            type=chance.choices(("dataset", "algorithm", "workflow"), (7, 2, 1))[0],
            name=" ".join(words.some(5)),
            description=" ".join(words.some(chance.randint(20, 80))),
            author=f"author {chance.randrange(2000)}",
            license=chance.choice(("CC0", "CC-BY", "MIT", "Apache-2.0", "proprietary")),
            price=chance.randrange(1000) * 10**15,
            services=("metadata", "compute") if chance.random() < 0.7 else ("metadata",),
            tags=tuple(f"tag{min(chance.randrange(400), chance.randrange(400))}" for _ in range(3)),
            categories=(f"category{chance.randrange(25)}",),
        )
        if "compute" in summary.services:
            runs, leaves = chance.choice(RULES)
            summary = replace(summary, may_run=(runs,), may_leave=leaves)
        policy = STRICT if summary.type == "dataset" else None
        content = document(summary.type, policy=policy, name=summary.name)
        content["id"] = f"did:nv:{number:064x}"
        content["service"][0]["attributes"]["additionalInformation"]["description"] = summary.description
        yield DocumentVersion(content["id"], f"{number:064x}", _address(number % 5000), content, summary)


def _queries(words: _Words) -> list[tuple[str, Query]]:
    """As people ask: words out of documents, their beginnings, what is on the left of a market's page, pages."""
    chance = words.random
    found: list[tuple[str, Query]] = []
    for number in range(QUERIES):
        one, two = words.some(2)
        tag, category = f"tag{chance.randrange(400)}", f"category{chance.randrange(25)}"
        kinds = {
            "a word": Query(words=(one,)),
            "two words": Query(words=(one, two)),
            "a beginning": Query(words=(one[:4],)),
            "a word, filtered": Query(words=(one,), type="dataset", service="compute", price_max=5 * 10**17),
            "a word by price": Query(words=(one,), sort="price", descending=False),
            "a tag": Query(tag=tag, sort="date"),
            "a category and a service": Query(category=category, service="compute"),
            "a service": Query(service="compute", sort="date"),
            "what may run": Query(may_run="any", service="compute", sort="date"),
            "a word, and what may leave": Query(words=(one,), may_leave=".png"),
            "an author": Query(author=f"author {chance.randrange(2000)}"),
            "an owner": Query(owner=_address(chance.randrange(5000))),
            "the newest, a later page": Query(sort="date", skip=20 * chance.randrange(50)),
        }
        kind = list(kinds)[number % len(kinds)]
        found.append((kind, replace(kinds[kind], limit=20)))
    return found


async def _fill(*engines: tuple[Database, FullText]) -> None:
    """Fill all of them at once with the same assets, which are made once."""
    assets = _assets(_Words(1))
    for first in range(0, ASSETS, BATCH):
        batch = list(islice(assets, BATCH))
        async with anyio.create_task_group() as tasks:
            for database, fulltext in engines:
                tasks.start_soon(database.write, partial(_insert, fulltext, batch, first))
        _say(f"{first + len(batch):,} of {ASSETS:,} assets are stored")


def _insert(fulltext: FullText, batch: Sequence[DocumentVersion], first: int, connection: Connection) -> None:
    """Add listed assets as the catalogue would, which stores them one by one and takes a quarter of an hour."""
    connection.executemany(
        "INSERT INTO asset"
        " (did, state, visibility, checksum, owner, version, registered_at, updated_at, type, author, license, price)"
        " VALUES (?, ?, ?, ?, ?, 1, ?, 0, ?, ?, ?, ?)",
        [
            (
                asset.did,
                *(("listed", LISTED) if (first + number) % PAST else ("retired", RETIRED)),
                asset.checksum,
                asset.creator,
                1_900_000_000 + first + number,
                *map(comparable, (asset.summary.type, asset.summary.author, asset.summary.license)),
                price_text(asset.summary.price),
            )
            for number, asset in enumerate(batch)
        ],
    )
    rows = connection.execute("SELECT did, id FROM asset WHERE registered_at >= ?", (1_900_000_000 + first,)).fetchall()
    ids = {row[0]: row[1] for row in rows}
    connection.executemany(
        "INSERT INTO version (asset, checksum, creator, document, summary, on_chain, pending_since)"
        " VALUES (?, ?, ?, ?, ?, 1, 0)",
        [
            (
                ids[asset.did],
                asset.checksum,
                asset.creator,
                json.dumps(asset.document),
                SUMMARY.dump_json(asset.summary).decode(),
            )
            for asset in batch
        ],
    )
    collected: Any = _Collected()
    for number, asset in enumerate(batch):
        listed = bool((first + number) % PAST)
        words = fulltext if listed else fulltext.past
        enlist(collected, ids[asset.did], fields_of(asset.did, asset.summary), words, listed=listed)
    for statement, values in collected.statements.items():
        connection.executemany(statement, values)


class _Collected:
    """Takes the statements of many assets, so that each is sent once for all of them."""

    def __init__(self) -> None:
        self.statements: dict[str, list[Sequence[object]]] = {}

    def execute(self, statement: str, values: Sequence[object]) -> None:
        self.executemany(statement, [values])

    def executemany(self, statement: str, values: Sequence[Sequence[object]]) -> None:
        self.statements.setdefault(statement, []).extend(values)


async def _ask(catalog: SqlCatalog, queries: Sequence[tuple[str, Query]]) -> tuple[dict[str, list[float]], list[int]]:
    samples: dict[str, list[float]] = {}
    totals = []
    for kind, query in queries:
        began = time.perf_counter()
        hits = await catalog.search(query)
        samples.setdefault(kind, []).append((time.perf_counter() - began) * 1000)
        totals.append(hits.total)
        began = time.perf_counter()
        await catalog.facets(query)
        samples.setdefault(FACETS, []).append((time.perf_counter() - began) * 1000)
    return samples, totals


async def _measured(database: Database, fulltext: FullText) -> tuple[dict[str, list[float]], list[int]]:
    catalog = SqlCatalog(database, fulltext)
    queries = _queries(_Words(2))
    await _ask(catalog, queries[:WARMING])
    return await _ask(catalog, queries)


async def _ask_for_pages(catalog: SqlCatalog) -> dict[str, list[float]]:
    """Ask for pages as people do: words, beginnings, tags, the cheapest, later pages. Return milliseconds by kind."""
    nobody: Any = None  # a search asks the store alone
    options = {"public_url": "", "confirmations": 0, "pending_lifetime": 1, "page_size": 100}
    service: Any = MetadataService(catalog=catalog, chain=nobody, clock=nobody, **options)
    words, samples = _Words(3), dict[str, list[float]]()
    transport = httpx.ASGITransport(application(build(service, GatewaysDouble())))
    async with httpx.AsyncClient(transport=transport, base_url="http://market.test") as browser:
        for number in range(QUERIES):
            one, two = words.some(2)
            kinds = {
                "a word": {"text": one},
                "two words": {"text": f"{one} {two}"},
                "a beginning": {"text": one[:4]},
                "everything": {},
                "a tag": {"tag": f"tag{number % 400}"},
                "the cheapest": {"text": one, "price": "priced", "sort": "cheapest"},
                "a later page": {"page": str(1 + number % 50)},
                "algorithms": {"kind": "algorithm"},
                "what may run": {"may_run": "any"},
                "what may leave": {"text": one, "may_leave": ".csv"},
                "what is retired": {"state": "retired"},
            }
            kind = list(kinds)[number % len(kinds)]
            began = time.perf_counter()
            answer = await browser.get("/search", params=kinds[kind])
            if number >= WARMING:
                samples.setdefault(kind, []).append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
    return samples


async def _both(folder: Path, url: str) -> list[Row]:
    file = sqlite.SqliteDatabase(folder / "metadata.db", "insitu.adapters.catalog")
    server = postgresql.PostgresqlDatabase(url, "metadata", MIGRATIONS)
    await server.read(lambda connection: connection.execute("SELECT 1"))  # which makes the tables
    with psycopg.connect(url, autocommit=True) as session:
        # An index is built ten times faster after the rows than with each of them.
        index = session.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", (INDEX,)).fetchone()
        session.execute(f"DROP INDEX metadata.{INDEX}".encode())
        await _fill((file, Fts5()), (server, Tsvector()))
        session.execute(index[0] if index else b"")
        session.execute("VACUUM (ANALYZE)")  # as the server does by itself after a minute
    _say("the index is built; searching")
    ours, found = await _measured(server, Tsvector())
    floor, expected = await _measured(file, Fts5())
    _say("asking for pages")
    if found != expected:
        raise SystemExit("the engines do not find the same")
    facets = _row(FACETS, ours.pop(FACETS), floor.pop(FACETS))
    rows = [_row(f"search {kind}", samples, floor[kind]) for kind, samples in ours.items()]
    every, other = ([sample for samples in kinds.values() for sample in samples] for kinds in (ours, floor))
    rows.append(_row("search, all of these", every, other, goal=GOAL))
    rows.append(facets)
    shown = await _ask_for_pages(SqlCatalog(server, Tsvector()))
    others = await _ask_for_pages(SqlCatalog(file, Fts5()))
    rows += [_row(f"page of {kind}", samples, others[kind]) for kind, samples in shown.items()]
    pages, other_pages = ([sample for samples in kinds.values() for sample in samples] for kinds in (shown, others))
    rows.append(_row("search, as a page of HTML", pages, other_pages, goal=PAGES_GOAL))
    await file.close()
    await server.close()
    return rows


def _say(what: str) -> None:
    print(f"{time.strftime('%X')} {what}", file=sys.stderr, flush=True)


def _row(what: str, ours: list[float], other: list[float], goal: float | None = None) -> Row:
    def figures(samples: list[float]) -> str:
        return f"{median(samples):.1f} ms, p95 {_p95(samples):.1f} ms"

    reached = _p95(ours) < goal if goal is not None else None
    return Row(what, figures(ours), f"SQLite {figures(other)}", f"p95 under {goal:.0f} ms" if goal else "", reached)


def _p95(samples: list[float]) -> float:
    return quantiles(samples, n=20)[-1]


def measure() -> list[Row]:
    """Fill both, ask both; the figures are milliseconds of the adapter's search, documents included."""
    # A quarter of a small machine's memory, as its manual recommends for a server.
    with (
        running_postgresql(shared_buffers="512MB") as server,
        tempfile.TemporaryDirectory(prefix="insitu-bench-") as folder,
    ):
        return anyio.run(_both, Path(folder), server.url)


if __name__ == "__main__":
    print(show(measure()))
