"""Count what the assets have that a query finds. Only so many of them are looked at, so that it costs little."""

from collections.abc import Mapping

from insitu.adapters.catalog.listing import SUMMARY, comparable, listed_facets, price_text
from insitu.adapters.catalog.query import Select
from insitu.adapters.sql import Connection, Row, placeholders
from insitu.ports.catalog import MAX_COUNTED, MAX_VALUES, Facet, FacetKind, Facets, FoundState, Summary

# MATERIALIZED, so that the assets are found once and not for each kind. One of those that have a value, the example,
# tells how it is spelled, because values are stored in the form for comparisons.
_COUNTED = f"""
WITH found AS MATERIALIZED (
    SELECT asset.id, asset.type, asset.author, asset.license, asset.price FROM {{found}}
    ORDER BY asset.registered_at DESC, asset.did LIMIT {MAX_COUNTED}
), having_it AS (
    SELECT facet.kind, facet.value, facet.asset FROM found CROSS JOIN facet WHERE facet.asset = found.id
    UNION ALL SELECT 'type', type, id FROM found
    UNION ALL SELECT 'author', author, id FROM found
    UNION ALL SELECT 'license', license, id FROM found
    UNION ALL SELECT 'price', CASE WHEN price = '{price_text(0)}' THEN 'free' ELSE 'priced' END, id FROM found
), counted AS (
    SELECT kind, value, count(*) AS assets, min(asset) AS example,
    row_number() OVER (PARTITION BY kind ORDER BY count(*) DESC, value) AS place
    FROM having_it WHERE value != '' GROUP BY kind, value
)
SELECT kind, value, assets, example FROM counted WHERE place <= {MAX_VALUES + 1} ORDER BY kind, place
"""  # noqa: S608 - our numbers


def count_facets(connection: Connection, select: Select, states: Mapping[FoundState, Select]) -> Facets:
    """Count the facets of what ``select`` finds, and what each of the states has."""
    total = _limited(connection, select)
    rows = connection.execute(_COUNTED.format(found=select.found), select.parameters).fetchall()
    kinds: dict[FacetKind, list[Row]] = {}
    for row in rows:
        kinds.setdefault(row["kind"], []).append(row)
    spelled = _spellings(connection, sorted({row["example"] for row in rows}))
    facets = {kind: _facet(kind, found, spelled) for kind, found in kinds.items()}
    having = {state: _limited(connection, one) for state, one in states.items()}
    facets["state"] = Facet(tuple((state, number) for state, number in having.items() if number), more=False)
    return Facets(min(total, MAX_COUNTED), total > MAX_COUNTED, facets)


def _limited(connection: Connection, select: Select) -> int:
    limited = f"SELECT count(*) FROM (SELECT 1 FROM {select.found} LIMIT {MAX_COUNTED + 1}) AS counted"  # noqa: S608
    total: int = connection.execute(limited, select.parameters).fetchone()[0]
    return total


def _facet(kind: FacetKind, rows: list[Row], spelled: dict[tuple[int, str, str], str]) -> Facet:
    values = [(spelled.get((row["example"], kind, row["value"]), row["value"]), row["assets"]) for row in rows]
    return Facet(tuple(values[:MAX_VALUES]), len(values) > MAX_VALUES)


def _spellings(connection: Connection, assets: list[int]) -> dict[tuple[int, str, str], str]:
    """Return how these assets spell their values, by asset, kind and value in the form for comparisons."""
    rows = connection.execute(
        "SELECT asset.id, summary FROM asset"  # noqa: S608 - only question marks
        " JOIN version ON version.asset = asset.id AND version.checksum = asset.checksum"
        f" WHERE asset.id IN ({placeholders(assets)})",
        tuple(assets),
    ).fetchall()
    return {
        (row[0], kind, comparable(value)): value
        for row in rows
        for kind, values in _values(SUMMARY.validate_json(row[1])).items()
        for value in values
    }


def _values(summary: Summary) -> dict[str, tuple[str, ...]]:
    one = {"type": (summary.type,), "author": (summary.author,), "license": (summary.license,)}
    return {**one, **listed_facets(summary)}
