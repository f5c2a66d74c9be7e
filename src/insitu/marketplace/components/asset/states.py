"""The states of the page of an asset."""

from collections.abc import Mapping

from insitu.api.metadata_v1 import AssetStatus, AssetVersions
from insitu.domain.canonical import JsonObject
from insitu.domain.ddo import read_ddo
from insitu.marketplace.assets import AssetView, Changes, ImageView, view_of
from insitu.marketplace.samples import CHECKSUM, OPEN, STRICT, TOKEN, did, document, result, status, versions, workflow
from insitu.marketplace.structured_data import structured_data

_NAMES = {did(1): "Departures from New York, 2013", did(2): "Delay by weather", did(3): "Delay by weather"}
_IMAGES = (ImageView("insitu/pandas:3.11", f"sha256:{CHECKSUM}", "Python 3.11, sh, 2 modules: numpy pandas"),)


def _page(
    found: JsonObject,
    at: AssetStatus,
    listed: AssetVersions = versions(1),  # noqa: B008 - frozen
    checksum: str = CHECKSUM,
    changes: Changes = Changes(),  # noqa: B008 - frozen
    is_paused: bool = False,
) -> Mapping[str, object]:
    view: AssetView = view_of(
        read_ddo(found),
        at,
        listed.versions,
        TOKEN,
        checksum=checksum,
        fits=True,
        names=_NAMES,
        changes=changes,
        images=_IMAGES if len(found.get("service", ())) > 1 else (),
        is_paused=is_paused,
    )
    structured = structured_data(view.described, "http://market.test/assets/x")
    return {"asset": view, "document": "/api/v1/metadata/assets/ddo/did:nv:0", "structured": structured}


_DATA = document(policy=STRICT)
_SUCCEEDED = document(policy=STRICT)
_SUCCEEDED["service"][0]["attributes"]["additionalInformation"]["successor"] = did(3)
_TWO = document(policy=OPEN)
_TWO["service"].append({**_TWO["service"][1], "index": 5})
_UNREADABLE = document(policy={"maxExecutions": "many"})
_LINES = ("compute price: 3 NVM → 5 NVM", "compute policy.output.maxFiles: 100 → 10")
_CHANGED = Changes((("At most 50 executions for each agreement.",),), _LINES)

STATES: Mapping[str, Mapping[str, object]] = {
    "listed": _page(_DATA, status()),
    "open to any algorithm": _page(document(policy=OPEN), status()),
    "unlisted": _page(_DATA, status("unlisted")),
    "pending": _page(_DATA, status("pending", version=0, owner=None), versions()),
    "pending, and on chain": _page(_DATA, status("pending", confirmed=2, confirmations=12), versions()),
    "paused": _page(_DATA, status(), is_paused=True),
    "hidden": _page(_DATA, status("hidden", reason="It has names of patients.")),
    "retired": _page(_DATA, status("retired")),
    "retired with a successor": _page(_SUCCEEDED, status("retired")),
    "a newer version waits": _page(_DATA, status(pending="cd" * 32)),
    "an earlier version": _page(_DATA, status(version=3), versions(3, 2, 1), f"{1:064x}", _CHANGED),
    "a version that waits": _page(_DATA, status(), versions(1), "cd" * 32, _CHANGED),
    "two services": _page(_TWO, status()),
    "an unreadable service": _page(_UNREADABLE, status()),
    "many files": _page(document(policy=OPEN, files=[{"contentType": "text/csv"}] * 70), status()),
    "an algorithm": _page(document("algorithm", 2, name="Count", algorithm={"language": "python"}), status("unlisted")),
    "a workflow": _page(workflow(), status("unlisted")),
    "a result": _page(result(), status("unlisted")),
    "almost nothing": _page({"id": did(1)}, status()),
}
