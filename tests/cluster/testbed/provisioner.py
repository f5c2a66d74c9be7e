"""Volumes whose size is a wall: each claim of our classes gets a file system of its own on a loop device.

Of the two classes ``loop-ext4`` binds a claim at once, and ``loop-ext4-waiting`` when its pod has been given a node.

A process beside the cluster, as an external provisioner is: it watches claims and volumes, makes what is asked for and
deletes what is released. ``python -m tests.cluster.testbed.provisioner FOLDER`` with KUBECONFIG.
"""

import faulthandler
import logging
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import httpx2
from lightkube import ApiError, AsyncClient
from lightkube.models.core_v1 import HostPathVolumeSource, ObjectReference, PersistentVolumeSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import PersistentVolume, PersistentVolumeClaim

NAME = "insitu.internal/loop-ext4"
CLASS, WAITING = "loop-ext4", "loop-ext4-waiting"
STORAGE_CLASSES = f"""\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {{name: {CLASS}}}
provisioner: {NAME}
reclaimPolicy: Delete
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {{name: {WAITING}}}
provisioner: {NAME}
reclaimPolicy: Delete
volumeBindingMode: WaitForFirstConsumer
"""
SELECTED = "volume.kubernetes.io/selected-node"
MADE_BY = "pv.kubernetes.io/provisioned-by"
_UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "k": 10**3, "M": 10**6, "G": 10**9}
_BYTES_PER_FILE = 16 * 1024

log = logging.getLogger("provisioner")


class Provisioner:
    """Makes and deletes volumes below one folder; in one thread, because the client's decoder crashes in two."""

    def __init__(self, folder: Path, client: AsyncClient) -> None:
        self._folder = folder
        self._client: Any = client

    async def run(self) -> None:
        """Work until killed."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch, PersistentVolumeClaim, self._claim, {"namespace": "*"})
            tasks.start_soon(self._watch, PersistentVolume, self._volume, {})

    async def _watch(self, kind: Any, handle: Callable[[Any], Awaitable[None]], where: dict[str, str]) -> None:
        while True:
            try:
                async for event, found in self._client.watch(kind, **where):
                    if event != "DELETED":
                        await handle(found)
            except (ApiError, httpx2.HTTPError, OSError, subprocess.CalledProcessError):
                log.exception("%s: watching again", kind.__name__)
                await anyio.sleep(0.2)

    async def _claim(self, claim: Any) -> None:
        spec, meta = claim.spec, claim.metadata
        if spec.storageClassName not in (CLASS, WAITING) or spec.volumeName or meta.deletionTimestamp:
            return
        if spec.storageClassName == WAITING and SELECTED not in (meta.annotations or {}):
            return
        name, size = f"pvc-{meta.uid}", spec.resources.requests["storage"]
        self._make(name, read_quantity(size))
        reference = ObjectReference(
            apiVersion="v1",
            kind="PersistentVolumeClaim",
            name=meta.name,
            namespace=meta.namespace,
            uid=meta.uid,
        )
        volume = PersistentVolume(
            metadata=ObjectMeta(name=name, annotations={MADE_BY: NAME}),
            spec=PersistentVolumeSpec(
                accessModes=spec.accessModes,
                capacity={"storage": size},
                claimRef=reference,
                hostPath=HostPathVolumeSource(path=str(self._folder / name), type="Directory"),
                persistentVolumeReclaimPolicy="Delete",
                storageClassName=spec.storageClassName,
            ),
        )
        try:
            await self._client.create(volume)
        except ApiError as error:
            if error.status.code != 409:
                raise

    async def _volume(self, volume: Any) -> None:
        ours = (volume.metadata.annotations or {}).get(MADE_BY) == NAME
        if ours and volume.status.phase == "Released" and volume.metadata.deletionTimestamp is None:
            self._delete(volume.metadata.name)
            await self._client.delete(PersistentVolume, volume.metadata.name)

    def _make(self, name: str, size: int) -> None:
        point, image = self._folder / name, self._folder / f"{name}.img"
        if os.path.ismount(point):
            return
        point.mkdir(parents=True, exist_ok=True)
        files = min(max(size // _BYTES_PER_FILE, 1024), 65536)
        with image.open("wb") as file:
            file.truncate(-(-(size + files * 256 + size // 60 + (2 << 20)) // 4096) * 4096)
        features = "^has_journal,^resize_inode,^metadata_csum,uninit_bg"
        options = ["-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-O", features, "-N", str(files)]
        subprocess.run(["mke2fs", *options, "-E", "lazy_itable_init=1,nodiscard", str(image)], check=True)
        subprocess.run(["mount", "-o", "loop,nosuid,nodev", str(image), str(point)], check=True)
        point.chmod(0o777)

    def _delete(self, name: str) -> None:
        point = self._folder / name
        if os.path.ismount(point):
            subprocess.run(["umount", str(point)], check=True)
        (self._folder / f"{name}.img").unlink(missing_ok=True)
        if point.exists():
            point.rmdir()


def read_quantity(text: str) -> int:
    """Read a quantity of bytes as Kubernetes writes it."""
    for unit, factor in _UNITS.items():
        if text.endswith(unit):
            return int(Decimal(text.removesuffix(unit)) * factor)
    return int(Decimal(text))


if __name__ == "__main__":
    faulthandler.enable()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    anyio.run(Provisioner(Path(sys.argv[1]), AsyncClient()).run)
