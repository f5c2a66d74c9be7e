"""Where a result or a workflow comes from, as a table and as a graph of the same facts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap

from insitu.domain.ddo import Ddo
from insitu.domain.errors import InsituError
from insitu.domain.ids import read_agreement_id, read_execution_id
from insitu.domain.workflow import read_workflow
from insitu.marketplace.descriptions import did_of
from insitu.marketplace.hostile import shown

WIDTH, HEIGHT = 156, 66
"""Of the box of one thing."""
ACROSS, DOWN = 24, 12
"""Between boxes."""
MOST = 10
"""Boxes in a column."""
LETTERS = 17
"""Of a name in a line of its box, which has two."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A data set, an algorithm, a workflow, a stage, an execution, a result.

    Attributes
    ----------
    key
        What tells it from others: a DID or an id.
    what
        Its kind in words.
    name
        As the catalogue knows it; else its DID or id.
    href
        Where to read more.
    reads
        Keys of what it is made from.
    """

    key: str
    what: str
    name: str
    href: str | None = None
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """A thing at its place."""

    thing: Thing
    x: int
    y: int

    @property
    def lines(self) -> list[str]:
        """Its name, short enough for the box."""
        name = short_id(self.thing.name) if self.thing.name == self.thing.key else self.thing.name
        return wrap(name, LETTERS, max_lines=2, placeholder="…", break_on_hyphens=False)


@dataclass(frozen=True, slots=True)
class Graph:
    """Boxes and lines between them. ``things`` are all of them, in the order of reading."""

    things: tuple[Thing, ...]
    boxes: tuple[Box, ...] = ()
    lines: tuple[tuple[int, int, int, int], ...] = ()
    width: int = field(default=0)
    height: int = field(default=0)


def related_dids(ddo: Ddo) -> tuple[str, ...]:
    """Return the DIDs whose names the graph of a document shows."""
    return tuple(thing.key for column in _columns(ddo, {}) for thing in column if thing.key.startswith("did:"))


def graph_of(ddo: Ddo, names: Mapping[str, str]) -> Graph | None:
    """Return the graph of a result or of a workflow; None for anything else. ``names`` are those of DIDs."""
    columns = _columns(ddo, names)
    return _drawn(columns) if columns else None


def _columns(ddo: Ddo, names: Mapping[str, str]) -> list[list[Thing]]:
    """Return the things from left to right: what was there first is left."""
    made = ddo.main.get("compute")
    if isinstance(made, dict):
        return _columns_of_result(ddo, made, names)
    if "workflow" not in ddo.main:
        return []
    try:
        workflow = read_workflow(ddo)
    except InsituError:
        return []
    sources = _assets(workflow.input_dids, "Data set", names) + _assets(
        workflow.transformation_dids, "Algorithm", names
    )
    stages = []
    for stage in workflow.ordered_stages:
        earlier = [
            f"stage {source.previous_stage}" for source in stage.ordered_inputs if source.previous_stage is not None
        ]
        read = [did for source in stage.ordered_inputs if (did := did_of(source.id))]
        run = [did for did in [did_of(stage.transformation.id)] if did]
        name = shown(stage.stage_type, 60) or "–"
        stages.append(Thing(f"stage {stage.number}", f"Stage {stage.number}", name, None, (*read, *run, *earlier)))
    return [sources, *([stage] for stage in stages)] if len(stages) <= 4 else [sources, stages]


def _columns_of_result(ddo: Ddo, made: Mapping[str, object], names: Mapping[str, str]) -> list[list[Thing]]:
    sources = _assets(_texts(made.get("inputs")), "Data set", names)
    sources += _assets(_texts(made.get("algorithms")), "Algorithm", names)
    workflow = _assets(_texts([made.get("workflow")]), "Workflow", names, tuple(thing.key for thing in sources))
    runs = [
        Thing(run, "Execution", run, None, tuple(thing.key for thing in workflow))
        for run in [execution_of(made)]
        if run
    ]
    before = tuple(thing.key for thing in runs or workflow)
    agreement = agreement_of(made)
    bought = [Thing(agreement, "Agreement", agreement, None, ())] if agreement else []
    if runs and bought:
        runs = [Thing(runs[0].key, runs[0].what, runs[0].name, None, (*runs[0].reads, bought[0].key))]
    result = Thing(str(ddo.id), "Result", names.get(str(ddo.id), "this result"), None, before)
    return [column for column in (sources, workflow + bought, runs, [result]) if column]


def execution_of(made: Mapping[str, object]) -> str | None:
    """Return the id of the execution that made a result."""
    try:
        return str(read_execution_id(str(made.get("workflowExecutionId"))))
    except InsituError:
        return None


def agreement_of(made: Mapping[str, object]) -> str | None:
    """Return the id of the agreement under which a result was made."""
    try:
        return str(read_agreement_id(str(made.get("serviceAgreementId"))))
    except InsituError:
        return None


def short_id(text: str) -> str:
    """Return the beginning and the end of a DID or an id."""
    return f"{text[:11]}…{text[-5:]}" if text.startswith("did:") else f"{text[:8]}…{text[-6:]}"


def _assets(dids: Iterable[str], what: str, names: Mapping[str, str], reads: tuple[str, ...] = ()) -> list[Thing]:
    known = (did for text in dids if (did := did_of(text)))
    return [Thing(did, what, names.get(did) or did, f"/assets/{did}", reads) for did in dict.fromkeys(known)]


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)][:100] if isinstance(value, list) else []


def _drawn(columns: Sequence[Sequence[Thing]]) -> Graph:
    shown_ = [column[:MOST] for column in columns]
    tallest = max(len(column) for column in shown_)
    boxes = []
    for across, column in enumerate(shown_):
        above = (tallest - len(column)) * (HEIGHT + DOWN) // 2
        for down, thing in enumerate(column):
            boxes.append(Box(thing, across * (WIDTH + ACROSS), above + down * (HEIGHT + DOWN)))
    at = {box.thing.key: box for box in boxes}
    lines = tuple(
        (at[key].x + WIDTH, at[key].y + HEIGHT // 2, box.x, box.y + HEIGHT // 2)
        for box in boxes
        for key in box.thing.reads
        if key in at
    )
    width = len(shown_) * (WIDTH + ACROSS) - ACROSS
    things = tuple(thing for column in columns for thing in column)
    return Graph(things, tuple(boxes), lines, width, tallest * (HEIGHT + DOWN) - DOWN)
