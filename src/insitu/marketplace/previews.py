"""What the page of an asset would say of a document that is not published yet. Nothing of it is kept (ADR 0161)."""

from dataclasses import asdict

from insitu.domain.canonical import JsonObject
from insitu.domain.ddo import read_ddo
from insitu.marketplace.assets import names_in
from insitu.marketplace.cards import gate_of
from insitu.marketplace.catalogue import Catalogue
from insitu.marketplace.descriptions import Description
from insitu.marketplace.provenance import Graph, graph_of
from insitu.marketplace.words.costs import costs_of
from insitu.marketplace.words.rules import rules_of
from insitu.ports.chain import TokenInfo


async def preview_of(catalogue: Catalogue, document: object, token: TokenInfo | None) -> JsonObject:
    """Return the gate, the wall and the costs of the first offer that is readable, the graph, and the names of assets.

    Raises ``InvalidDocument`` for what is no document, ``PeerUnavailable``.
    """
    described = Description(read_ddo(document))
    names, service = await names_in(catalogue, described), described.offer
    graph = graph_of(described.ddo, names)
    gate = gate_of(described, token)
    return {
        "names": dict(names),
        "gate": asdict(gate) if gate is not None else None,
        "rules": asdict(rules_of(service)) if service is not None else None,
        "costs": asdict(costs_of(service, token)) if service is not None else None,
        "graph": _drawn(graph) if graph is not None else None,
    }


def _drawn(graph: Graph) -> JsonObject:
    boxes = [{"x": box.x, "y": box.y, "what": box.thing.what, "lines": box.lines} for box in graph.boxes]
    lines = [list(line) for line in graph.lines]
    return {"width": graph.width, "height": graph.height, "boxes": boxes, "lines": lines}
