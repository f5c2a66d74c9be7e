"""Waiting until claims are bound, if their storage class binds them without a pod.

The scheduler places a pod when its claim names a volume. The kubelet also wants the claim's phase to be ``Bound``,
which the volume controller writes a moment later. A kubelet that looks in between waits ten seconds or more before it
tries again, and a scheduler that looks earlier has looked in vain. So a pod is made when its claims are bound. But a
class may wait for the pod (``volumeBindingMode: WaitForFirstConsumer``), and we may not read classes: such a claim is
recognised by the fact that nobody provisions it.
"""

import logging
from collections.abc import Collection, Mapping

from anyio import current_time, move_on_after
from lightkube.resources.core_v1 import PersistentVolumeClaim

from insitu.adapters.kubernetes import Cluster, RefusedError

logger = logging.getLogger(__name__)

FIRST_SIGN = 3.0
"""Seconds within which a claim is bound, or being provisioned, if its class binds at once."""
PROVISIONED = 30.0
"""Seconds that a provisioner has; then the pod is made, and waits by itself."""
_PROVISIONER = "volume.kubernetes.io/storage-provisioner"


class Binding:
    """Waits for claims until it learns that they wait for pods."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._is_at_once = True

    async def wait(self, labels: Mapping[str, str], claims: Collection[str]) -> None:
        """Return when these claims, which have these labels, are bound or not worth waiting for.

        Raises ``InsituError`` if the cluster does not answer.
        """
        missing, provisioned = set(claims), set[str]()
        if not self._is_at_once or not missing:
            return

        def seen(claim: PersistentVolumeClaim) -> None:
            name = (claim.metadata.name if claim.metadata is not None else None) or ""
            if claim.status is not None and claim.status.phase == "Bound":
                missing.discard(name)
            elif name in missing - provisioned and _is_provisioned(claim):
                provisioned.add(name)
                scope.deadline = current_time() + PROVISIONED
            if not missing:
                scope.cancel()

        with move_on_after(FIRST_SIGN) as scope:
            try:
                await self._cluster.watch(PersistentVolumeClaim, labels, seen)
            except RefusedError as error:
                logger.warning("claims cannot be watched, so pods are made before theirs are bound: %s", error)
                self._is_at_once = False
        without_sign = scope.cancelled_caught and missing and not provisioned
        if without_sign and self._is_at_once:  # if two waited together, only one says so
            logger.info("the storage class binds no claim before its pod is made: pods do not wait for their claims")
            self._is_at_once = False


def _is_provisioned(claim: PersistentVolumeClaim) -> bool:
    notes = (claim.metadata.annotations if claim.metadata is not None else None) or {}
    return _PROVISIONER in notes
