"""An installation as a provider makes it: a copy of deploy/kustomize, what is marked changed, `kubectl apply -k`."""

import base64
import json
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images
from tests.cluster.objects import claim_of_folder
from tests.cluster.sites import SERVER, offered
from tests.cluster.testbed.layout import ROOT
from tests.journeys.people import OWNER_KEY, PASSWORD
from tests.journeys.provider import Person
from tests.journeys.scripts import FLIGHTS, written

DEPLOY = ROOT / "deploy" / "kustomize"
SERVICES, EXECUTIONS = "insitu", "insitu-executions"
PART = "app.kubernetes.io/part-of=insitu"
SERVICE_KEY = "a service key that only gateway and operator know"


@dataclass
class Installation:
    """A provider in the namespaces of the manifests, and people around it.

    ``url`` is what people call, ``flags`` what they set besides.
    """

    access: ClusterAccess
    folder: Path
    url: str
    flags: tuple[str, ...] = ()
    secrets: list[str] = field(default_factory=list)
    """What must not be where executions are."""

    def kubectl(self, *words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Call kubectl in the namespace of the services."""
        return self.access.kubectl(f"--namespace={SERVICES}", *words, check=check)

    def person(self, name: str, key: str) -> Person:
        """Somebody far from the cluster, with a key file."""
        home = self.folder / name
        person = Person(home, self.url, flags=self.flags, variables={"INSITU_KEY_PASSWORD": PASSWORD})
        if not home.exists():
            person.succeeds("keys", "import", "me" if name != "provider" else "provider", "-", typed=key)
        return person

    def publish(self) -> str:
        """Publish flights on a volume of the cluster, for two tokens; return the DID."""
        data = self.folder / f"data-{secrets.token_hex(4)}"
        data.mkdir()
        claim = claim_of_folder(self.access, EXECUTIONS, written(data, "flights.csv", FLIGHTS).parent)
        said = ("publish", f"pvc:{claim}/flights.csv", "--name", "Flights", "--price", "2", "--allow-any")
        return self.person("owner", OWNER_KEY).succeeds(*said).line

    def pods(self, name: str) -> list[dict[str, Any]]:
        """The pods of a service that run."""
        listed = self.kubectl("get", "pods", "-l", f"app.kubernetes.io/name=insitu-{name}", "-o", "json").stdout
        return [pod for pod in json.loads(listed)["items"] if "deletionTimestamp" not in pod["metadata"]]

    def told(self) -> str:
        """What the cluster and the services say, where something is wrong; also of pods that have no log yet."""
        asked = (
            ("get", "pods", "-o", "wide"),
            ("describe", "pods"),
            ("get", "events", "--sort-by=.lastTimestamp"),
            ("logs", "-l", PART, "--all-containers", "--ignore-errors", "--prefix", "--tail=20"),
        )
        answers = [self.kubectl(*words, check=False) for words in asked]
        return "\n".join(answer.stdout + answer.stderr for answer in answers)

    def where_executions_are(self) -> bytes:
        """Everything that is readable in the namespace of executions, secrets decoded."""
        kinds = "pods,secrets,configmaps,workflowexecutions"
        listed = json.loads(self.access.kubectl("get", kinds, f"--namespace={EXECUTIONS}", "-o", "json").stdout)
        held = [each.get("data") or {} for each in listed["items"] if each["kind"] == "Secret"]
        return json.dumps(listed).encode() + b"".join(base64.b64decode(value) for one in held for value in one.values())


def copied(folder: Path) -> Path:
    """Copy what a provider copies."""
    return Path(shutil.copytree(DEPLOY, folder / "deploy"))


def settings_of(access: ClusterAccess, images: Images, owner: str, public: str, metadata: str) -> dict[str, str]:
    """What every installation of the tests has to set."""
    settings = {
        "INSITU_SERVER__PUBLIC_URL": public,
        "INSITU_METADATA__URL": metadata,
        "INSITU_MARKETPLACE__GATEWAYS": json.dumps([public]),
        "INSITU_CLUSTER__REGISTRY": access.registry,
        "INSITU_CLUSTER__STORAGE_CLASS": access.storage_class,
        "INSITU_GATEWAY__CREATORS": owner,
        "INSITU_GATEWAY__CONTAINERS": offered(images),
        "INSITU_GATEWAY__SERVERS": json.dumps([SERVER]),
        "INSITU_LIMITS__FREE_DISK": str(16 << 20),  # the claims of the tests are small
        "INSITU_OPERATOR__CPU": "1",
        "INSITU_OPERATOR__MEMORY": str(2 << 30),
        "INSITU_OPERATOR__DISK": str(2 << 30),
    }
    if access.runtime_class is not None:
        settings["INSITU_CLUSTER__RUNTIME_CLASS"] = access.runtime_class
    return settings


def change(overlay: Path, settings: dict[str, str], images: dict[str, str]) -> None:
    """Write settings and images (``name`` in the registry @ digest by the name in the manifests) into an overlay."""
    written(overlay, "settings.env", "".join(f"{name}={value}\n" for name, value in settings.items()))
    text = (overlay / "kustomization.yaml").read_text()
    for name, image in images.items():
        found, _, digest = image.partition("@")
        pattern = rf"(  - name: {name}\n    newName: )\S+(.*\n    digest: )\S+"
        text = re.sub(pattern, rf"\g<1>{found}\g<2>{digest}", text)
    written(overlay, "kustomization.yaml", text)


def on_the_testbed(overlay: Path, access: ClusterAccess, *more: dict[str, Any]) -> Path:
    """Put an overlay on top for what is the testbed's own: its storage class, and volumes that are small."""
    claims = [{"op": "add", "path": "/spec/storageClassName", "value": access.storage_class}]
    claims.append({"op": "replace", "path": "/spec/resources/requests/storage", "value": "256Mi"})
    patches = [{"target": {"kind": "PersistentVolumeClaim"}, "patch": json.dumps(claims)}]
    top = overlay.with_name("testbed")
    top.mkdir()
    files = [f"{number}.json" for number, _ in enumerate(more)]
    for file, document in zip(files, more, strict=True):
        written(top, file, json.dumps(document))
    written(top, "kustomization.yaml", json.dumps({"resources": [f"../{overlay.name}", *files], "patches": patches}))
    return top


@contextmanager
def applied(installation: Installation, place: Path) -> Iterator[Installation]:
    """Apply, wait until every service is ready, and take it away at the end."""
    access = installation.access
    access.kubectl("delete", "namespace", SERVICES, EXECUTIONS, "--ignore-not-found", "--timeout=90s")
    try:
        access.kubectl("apply", "-k", str(place))
        waiting = ("wait", "deployments", "--all", "--for=condition=Available", "--timeout=180s")
        done = installation.kubectl(*waiting, check=False)
        assert done.returncode == 0, installation.told()
        yield installation
    finally:
        access.kubectl("delete", "-k", str(place), "--timeout=120s")
