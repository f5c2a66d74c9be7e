"""What the last proof of the walls said, kept on the cluster for people and for other processes."""

import json
import logging
from datetime import UTC, datetime, timedelta

from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap

from insitu.adapters.kubernetes import Cluster, ConflictError, RefusedError
from insitu.domain.errors import InsituError
from insitu.domain.wire import rfc3339
from insitu.ports.runtime import Enforcement

logger = logging.getLogger(__name__)
_NAME = "insitu-isolation"
_KEY = "proof.json"
OLDEST_PROOF = timedelta(days=2)
"""How long a kept proof is believed: a working engine makes a new one every day."""


async def keep_proof(cluster: Cluster, found: Enforcement, moment: datetime) -> None:
    """Keep a proof in place of the last one; if that fails, the proof still holds."""
    proof = {
        "provedAt": rfc3339(moment),
        "runtime": found.runtime,
        "limits": dict(found.limits),
        "refusals": list(found.refusals),
        "code": found.code,
    }
    data = {_KEY: json.dumps(proof, indent=1)}
    meta = ObjectMeta(name=_NAME, labels={"app.kubernetes.io/part-of": "insitu"})
    try:
        if await cluster.merge(ConfigMap, _NAME, {"data": data}) is None:
            await cluster.create(ConfigMap(metadata=meta, data=data))
    except (ConflictError, RefusedError, InsituError) as error:
        logger.warning("the proof of the walls cannot be kept: %s", error)


async def last_proof(cluster: Cluster) -> tuple[Enforcement, datetime] | None:
    """Return the last proof and its time, or None if nothing has been proved yet. Raises ``InsituError``."""
    kept = await cluster.get(ConfigMap, _NAME)
    if kept is None or not kept.data:
        return None
    proof = json.loads(kept.data[_KEY])
    found = Enforcement(proof["runtime"], proof["limits"], tuple(proof["refusals"]), proof["code"])
    return found, datetime.fromisoformat(proof["provedAt"]).astimezone(UTC)
