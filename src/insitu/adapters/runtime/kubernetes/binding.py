"""Waiting until claims are bound, where their storage class binds them without a pod.

The scheduler places a pod when its claim names a volume; the kubelet wants the claim's phase to be ``Bound`` as well,
which the volume controller writes a moment later. A kubelet that looks in between tries again after its own pause, ten
seconds and more; and a scheduler that looks before has looked in vain. So a pod is made when its claims are bound. A
class may also wait for the pod (``volumeBindingMode: WaitForFirstConsumer``), and classes are not ours to read: nobody
provisions such a claim, and that is how it is told.
"""

import logging
from collections.abc import Collection, Mapping

from anyio import current_time, move_on_after
from lightkube.resources.core_v1 import PersistentVolumeClaim

from insitu.adapters.kubernetes import Cluster, RefusedError

__all__ = ["Binding"]

_log = logging.getLogger(__name__)

FIRST_SIGN = 3.0
"""Seconds until a claim is bound, or somebody provisions it, if its class binds at once."""
PROVISIONED = 30.0
"""Seconds that a provisioner is given; then the pod is made, and waits by itself."""
_PROVISIONER = "volume.kubernetes.io/storage-provisioner"


class Binding:
    """Waits for claims, until it learns that they wait for pods."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._is_at_once = True

    async def wait(self, labels: Mapping[str, str], claims: Collection[str]) -> None:
        """Return when these claims, which have these labels, are bound, or are not worth waiting for.

        Raises ``InsituError`` where the cluster does not answer.
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
                _log.warning("claims cannot be watched, so pods are made before theirs are bound: %s", error)
                self._is_at_once = False
        without_sign = scope.cancelled_caught and missing and not provisioned
        if without_sign and self._is_at_once:  # of two that waited together, one says so
            _log.info("the storage class binds no claim before its pod is made: pods do not wait for their claims")
            self._is_at_once = False


def _is_provisioned(claim: PersistentVolumeClaim) -> bool:
    notes = (claim.metadata.annotations if claim.metadata is not None else None) or {}
    return _PROVISIONER in notes
