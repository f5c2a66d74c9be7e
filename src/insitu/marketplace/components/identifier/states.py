"""The states of an id."""

from collections.abc import Mapping

from insitu.marketplace.samples import CHECKSUM, OWNER, did

STATES: Mapping[str, Mapping[str, object]] = {
    "an account": {"text": OWNER, "kind": "account", "href": f"/accounts/{OWNER}"},
    "a DID": {"text": did(1), "kind": "asset", "href": None},
    "a digest": {"text": f"sha256:{CHECKSUM}", "kind": "asset", "href": None},
    "shorter than its end": {"text": "x", "kind": "asset", "href": None},
}
