"""What the page of a run begins with: the data sets, and the origins that its element may call."""

from dataclasses import dataclass

from insitu.at_once import outcomes
from insitu.domain.ddo import Ddo, read_ddo
from insitu.domain.errors import InsituError
from insitu.domain.workflow import Workflow
from insitu.marketplace.catalogue import Catalogue
from insitu.marketplace.hostile import name_of
from insitu.marketplace.policy import origins

MOST_INPUTS = 20
"""Data sets whose documents are read for one page."""
MOST_REACHABLE = 2 * MOST_INPUTS
"""Origins in the policy of a page: servers and browsers refuse an answer whose headers are long."""


@dataclass(frozen=True, slots=True)
class NamedAsset:
    """An asset and the name that its document claims."""

    did: str
    name: str


@dataclass(frozen=True, slots=True)
class RunView:
    """What is to run, as the catalogue says it: the element verifies everything before a wallet opens."""

    inputs: tuple[NamedAsset, ...]
    gateway: str
    """Where the first data set is computed on: the gateway's address without the path of its API."""
    reachable: tuple[str, ...]
    workflow: NamedAsset | None = None


async def read_run(catalogue: Catalogue, on: tuple[str, ...], workflow: str | None) -> RunView:
    """Read the documents of a run. Raises ``AssetNotFound``, ``InvalidDocument``, ``NoComputeService``."""

    async def read(did: str) -> Ddo:
        return read_ddo(await catalogue.document(did))

    documents: list[Ddo] = []
    if workflow is not None:
        documents.append(await read(workflow))
        on = Workflow.read(documents[0].main.get("workflow")).input_dids
    if not 0 < len(on) <= MOST_INPUTS:
        detail = f"a run begins on the page of a data set, and reads 1 to {MOST_INPUTS} of them: on={{did}} names each"
        raise InsituError("InvalidRequest", detail)
    inputs = [_found(answer) for answer in await outcomes(read(did) for did in on)]
    endpoints = [service.service_endpoint or "" for ddo in (*inputs, *documents) for service in ddo.service]
    (gateway, *_) = origins([inputs[0].compute_service().service_endpoint or ""]) or ("",)
    reachable = origins([gateway, *endpoints])[:MOST_REACHABLE]
    return RunView(tuple(map(_named, inputs)), gateway, reachable, _named(documents[0]) if workflow else None)


def _found(answer: Ddo | InsituError) -> Ddo:
    if isinstance(answer, InsituError):
        raise answer
    return answer


def _named(ddo: Ddo) -> NamedAsset:
    return NamedAsset(str(ddo.id), name_of(ddo.main.get("name"), str(ddo.id)))
