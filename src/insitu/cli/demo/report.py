"""The demo's report: an HTML page, for people who would rather look than read."""

import base64
import csv
import html
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from insitu.cli.demo.story import Story
from insitu.domain.readable import size
from insitu.domain.wire import rfc3339

STYLE = """
:root{color-scheme:light}
body{font:16px/1.5 system-ui,sans-serif;color:#1c2630;background:#fff;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin-bottom:.2rem} h2{font-size:1.15rem;margin-top:2.2rem} p.sub{color:#4d5b66;margin-top:0}
table{border-collapse:collapse;margin:.6rem 0;width:100%} th,td{text-align:left;padding:.35rem .7rem .35rem 0;
border-bottom:1px solid #d9e0e6;vertical-align:top} th{font-weight:600;color:#4d5b66}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums} code{font-size:.86em;overflow-wrap:anywhere}
img{max-width:100%;height:auto;border:1px solid #d9e0e6} li{margin:.15rem 0} .ok{color:#1a7f4b}
svg text{font:13px system-ui,sans-serif;fill:#1c2630}
"""
COLOURS = {"Registered": "#8fa3b3", "Configuring": "#d9a441", "Executing": "#2f6f9f", "Reviewing": "#8a6fb0"}
PUBLISHING = "#4d9a76"


def write_report(story: Story) -> Path:
    """Write ``report.html`` into the demo's output folder and return its path."""
    body = "".join(
        (
            "<h1>What happened</h1>",
            "<p class=sub>Two owners let algorithms come to their data. Only what their rules allow came back.</p>",
            _parties(story),
            _timeline(story),
            _result(story),
            _money(story),
            _checks(story.narrator.checks),
        )
    )
    head = f"<meta charset=utf-8><title>insitu demo</title><style>{STYLE}</style>"
    page = f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>"
    path = story.output / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def _parties(story: Story) -> str:
    rows = [
        (holding.path.name, f"{holding.rows:,}", size(holding.size), f"<code>{_text(asset.did)}</code>")
        for holding, asset in zip((story.flights, story.weather), story.datasets, strict=True)
    ]
    left = sum(file.content_length for file in story.result.files)
    stayed = story.flights.size + story.weather.size
    return (
        f"<h2>The data stayed: {size(stayed)}. What left: {size(left)}.</h2>"
        + _table(("data set", "rows", "size", "DID"), rows, numbers=(1, 2))
        + _bars(stayed, left)
    )


def _bars(stayed: int, left: int) -> str:
    """Draw both amounts to scale; what left is only a sliver, which is the point."""
    width = 700
    sliver = max(1.0, width * left / (stayed or 1))
    return (
        f'<svg viewBox="0 0 {width + 10} 62" role="img" aria-label="bytes that stayed and bytes that left, to scale">'
        f'<rect x="0" y="4" width="{width}" height="20" fill="#2f6f9f"/>'
        f'<rect x="0" y="34" width="{sliver:.1f}" height="20" fill="#d9a441"/>'
        f'<text x="{sliver + 8:.0f}" y="49">left, to scale</text></svg>'
    )


def _timeline(story: Story) -> str:
    history = story.view.history
    begin = history[0].at
    total = max((history[-1].at - begin).total_seconds(), 0.001)
    scale, parts, rows = 700 / total, [], []
    for change, following in pairwise(history):
        start, length = (change.at - begin).total_seconds(), (following.at - change.at).total_seconds()
        colour = COLOURS.get(change.phase, PUBLISHING)
        title = f"{change.phase}{'' if change.stage is None else f', stage {change.stage}'}: {length:.3f} s"
        parts.append(
            f'<rect x="{start * scale:.1f}" y="4" width="{max(length * scale, 1):.1f}" height="26" fill="{colour}">'
            f"<title>{_text(title)}</title></rect>"
        )
        stage = "" if change.stage is None else str(change.stage)
        rows.append((change.phase.value, stage, rfc3339(change.at), f"{length:.3f}"))
    rows.append((history[-1].phase.value, "", rfc3339(history[-1].at), ""))
    picture = (
        f'<svg viewBox="0 0 710 36" role="img" aria-label="phases of the execution over time">{"".join(parts)}</svg>'
    )
    heading = f"<h2>The execution took {total:.1f} s</h2>"
    return heading + picture + _table(("phase", "stage", "since", "seconds"), rows, numbers=(3,))


def _result(story: Story) -> str:
    table = next((path for path in story.files if path.suffix == ".csv"), None)
    picture = next((path for path in story.files if path.suffix == ".png"), None)
    parts = [
        "<h2>What came back: a new asset of the data scientist</h2>",
        f"<p><code>{_text(story.result.did)}</code></p>",
    ]
    if picture is not None:
        data = base64.b64encode(picture.read_bytes()).decode()
        parts.append(
            f'<img alt="Mean departure delay by visibility, dry and in rain" src="data:image/png;base64,{data}">'
        )
    if table is not None:
        with table.open(newline="") as text:
            heading, *rows = list(csv.reader(text))
        escaped = [[_text(cell) for cell in row] for row in rows]
        parts.append(_table([_text(name) for name in heading], escaped, numbers=(2, 3, 4)))
    return "".join(parts)


def _money(story: Story) -> str:
    paid = [(_text(name), _text(story.change(change))) for name, change in story.paid.items()]
    ledger = [
        (f"<code>{_text(entry.transaction)}</code>", _text(", ".join(entry.events)), f"{entry.gas:,}")
        for entry in story.entries
    ]
    receipt = f"<p>Receipt hash <code>{_text(story.receipt.receipt_hash)}</code></p>"
    return (
        "<h2>The payment followed a signed receipt</h2>"
        + _table(("who", "change"), paid, numbers=(1,))
        + receipt
        + _table(("transaction", "events", "gas"), ledger, numbers=(2,))
    )


def _checks(checks: Iterable[str]) -> str:
    items = "".join(f"<li><span class=ok>✓</span> {_text(check)}</li>" for check in checks)
    return f"<h2>What was checked</h2><ul>{items}</ul>"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()) -> str:
    """Make a table from cells that are already HTML; ``numbers`` are the columns to align right."""

    def row(cells: Sequence[str], tag: str) -> str:
        marked = (f"<{tag}{' class=n' if place in numbers else ''}>{cell}</{tag}>" for place, cell in enumerate(cells))
        return f"<tr>{''.join(marked)}</tr>"

    return f"<table>{row(headings, 'th')}{''.join(row(cells, 'td') for cells in rows)}</table>"


def _text(value: str) -> str:
    return html.escape(value)
