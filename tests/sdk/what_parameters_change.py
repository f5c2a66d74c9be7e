"""What each parameter of the SDK changes (ADR 0108).

A test compares this table with the signatures and drives each row.
"""

from collections.abc import Mapping

REQUEST, FILE, ANSWER, WAITING = "request", "file", "answer", "waiting"
"""Aspects of a call: what is sent or signed, what is written on this machine, what is returned, how long it takes."""

_DESCRIBED = "author license description tags categories"

CHANGES: Mapping[str, Mapping[str, str]] = {
    "connect": {REQUEST: "url account password home signer settings"},
    "connect_async": {REQUEST: "url account password home signer settings"},
    "Stage": {REQUEST: "algorithm inputs container stage_type configuration server_id cpu gpu memory disk output"},
    "Previous": {REQUEST: "stage"},
    "Client.gateway_at": {REQUEST: "url"},
    "Client.run": {
        REQUEST: "algorithm on configuration entrypoint container server_id max_price relay offer",
    },
    "Client.revise": {REQUEST: "agreement algorithm configuration entrypoint"},
    "Client.check": {REQUEST: "algorithm on configuration entrypoint container server_id"},
    "Client.check_stages": {REQUEST: "stages service_index"},
    "Client.verify": {REQUEST: "on_chain", ANSWER: "receipt provider files opening"},
    "Client.release": {REQUEST: "receipt"},
    "Assets.register_asset": {
        REQUEST: "asset_metadata services_description publisher_public_key without_compute",
    },
    "Assets.files": {REQUEST: "path after limit"},
    "Assets.publish_dataset": {
        REQUEST: "name files algorithms publishers price timeout containers servers output logs max_executions "
        "consumers use revisions parameters failures data " + _DESCRIBED,
    },
    "Assets.publish_algorithm": {
        REQUEST: f"name files entrypoint container language version price {_DESCRIBED}",
    },
    "Assets.read_algorithm": {REQUEST: "name files entrypoint"},
    "Assets.describe_workflow": {REQUEST: "stages"},
    "Assets.publish_with_workflow": {REQUEST: "name files stage entrypoint"},
    "Assets.publish_workflow": {REQUEST: f"name stages {_DESCRIBED}"},
    "Assets.resolve": {REQUEST: "did checksum"},
    "Assets.owner": {REQUEST: "did"},
    "Assets.status": {REQUEST: "did"},
    "Assets.search": {REQUEST: "text filters"},
    "Assets.facets": {REQUEST: "text filters"},
    "Assets.summaries": {REQUEST: "dids"},
    "Assets.update_asset": {REQUEST: "did asset_metadata services_description files", ANSWER: "confirm"},
    "Assets.versions": {REQUEST: "did"},
    "Assets.version_of": {REQUEST: "did"},
    "Assets.set_listed": {REQUEST: "did listed"},
    "Assets.hide": {REQUEST: "did reason"},
    "Assets.unhide": {REQUEST: "did"},
    "Assets.feature": {REQUEST: "did reason"},
    "Assets.unfeature": {REQUEST: "did"},
    "Assets.curated": {REQUEST: "what page"},
    "Assets.retire": {REQUEST: "did"},
    "Assets.relist": {REQUEST: "did"},
    "Assets.pause": {REQUEST: "did stop_running"},
    "Assets.resume": {REQUEST: "did"},
    "Assets.transfer": {REQUEST: "did owner"},
    "Assets.download": {REQUEST: "did", FILE: "folder overwrite"},
    "Agreements.check": {REQUEST: "workflow_did service_index"},
    "Agreements.check_planned": {REQUEST: "described service_index"},
    "Agreements.require_revision": {REQUEST: "agreement described"},
    "Agreements.require_agreeable": {ANSWER: "quote max_price"},
    "Agreements.buy": {REQUEST: "workflow_did service_index max_price seed relay offer", WAITING: "wait"},
    "Agreements.show": {REQUEST: "agreement"},
    "Agreements.terms": {REQUEST: "agreement"},
    "Agreements.wait_for_grant": {REQUEST: "agreement"},
    "Agreements.preview_close": {REQUEST: "agreement"},
    "Agreements.close": {REQUEST: "agreement max_charge"},
    "Agreements.refund": {REQUEST: "agreement"},
    "Compute.execute": {REQUEST: "agreement workflow_checksum parameters idempotency_key"},
    "Compute.run_workflow": {REQUEST: "workflow_did service_index max_price relay offer"},
    "Compute.execution": {REQUEST: "agreement execution"},
    "Compute.executions": {REQUEST: "agreement live reading limit"},
    "Compute.events": {REQUEST: "after"},
    "Execution.events": {REQUEST: "after"},
    "Execution.logs": {REQUEST: "follow after"},
    "Execution.wait": {WAITING: "seconds"},
    "Execution.download": {FILE: "folder overwrite"},
}
"""Call → aspect → the parameters that change it."""
