"""The cluster as a place where tests run algorithms: real pods for every step, and a server that tells them theirs."""

import io
import json
import secrets
import tarfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from typing_extensions import override

from insitu.adapters.kubernetes import Cluster
from insitu.adapters.runtime.kubernetes import KubernetesRuntime, Placement, PodImage
from insitu.domain.errors import InsituError
from insitu.domain.ids import ExecutionId
from insitu.domain.plan import Claim, FileSource
from insitu.ports.pods import OutputVolume, Workspace
from insitu.ports.runtime import Runtime
from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images
from tests.cluster.objects import claim_of_folder, make_namespace, objects_left
from tests.ports.runtime.runtime_place import Place

# What configure and publish are in these tests: they do what the server says, and leave their last word as real ones.
PODS = """
import io, json, os, sys, tarfile, time, urllib.request, zlib
kind, order, *rest = sys.argv[1:]
options = dict(zip(rest[::2], rest[1::2]))
order, work = json.load(open(order)), options["--workspace"]
assert open(options["--ticket"]).read() == "ticket"
url = os.environ["INSITU_GATEWAY__URL"] + "/" + order["plan"]["workflowExecutionId"]

def tell(**status):
    open(options["--result"], "w").write(json.dumps({"state": "ended", **status}))

def told(path, body=None):
    return urllib.request.urlopen(url + path, data=body, timeout=20).read()

def configure():
    wish = json.loads(told("/%d" % order["stage"]))
    time.sleep(wish["seconds"])
    if wish["defect"]:
        raise RuntimeError(wish["defect"])
    if wish["reason"]:
        tell(reason=wish["reason"])
        sys.exit(1)
    for name, text in wish["files"].items():
        open(work + "/algorithm/" + name, "w").write(text)
    return {"algorithm": wish["names"]}

def publish():
    made, stages = io.BytesIO(), sorted(int(name) for name in os.listdir(work + "/outputs"))
    with tarfile.open(fileobj=made, mode="w") as archive:
        for top, _, names in os.walk(work + "/outputs"):
            for path in (os.path.join(top, name) for name in names):
                plain = os.path.isfile(path) and not os.path.islink(path)
                if plain and os.access(path, os.R_OK) and os.path.getsize(path) < 1 << 20:
                    archive.add(path, os.path.relpath(path, work + "/outputs"))
        consoles = options.get("--consoles")
        for stage in stages if consoles else ():
            parts = sorted(name for name in os.listdir(consoles) if name.startswith("%d." % stage))
            text = zlib.decompress(b"".join(open(consoles + "/" + part, "rb").read() for part in parts))
            entry = tarfile.TarInfo("%d/console.log" % stage)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
    told("/published", made.getvalue())
    return {"stages": stages}

tell(result=configure() if kind == "configure" else publish())
"""


@dataclass
class KubernetesPlace(Place):
    """A namespace of a cluster."""

    start_seconds: ClassVar[float] = 4.0
    measures: ClassVar[bool] = False
    goes_on: ClassVar[bool] = True

    access: ClassVar[ClusterAccess]
    namespace: ClassVar[str] = "insitu-tests"
    claims: dict[Path, str] = field(default_factory=dict)

    @classmethod
    def on(cls, access: ClusterAccess, images: Images) -> Callable[[Path], "KubernetesPlace"]:
        """Makes places on this cluster."""
        cls.access = access
        make_namespace(access, cls.namespace)
        return lambda root: cls(root, images.python, images.store)

    @override
    def __post_init__(self) -> None:
        # Ids derive from the count, and the cluster may still know those of an earlier run.
        self.count = secrets.randbelow(1 << 40)
        self._server = _Pods(self)
        super().__post_init__()

    @override
    def another_runtime(self) -> Runtime:
        reference = f"{self.access.registry}/{self.image.name}@{self.image.digest}"
        placement = Placement(
            pods=PodImage(reference, command=("python3", "-I", "-S", "-c", PODS)),
            gateway_url=f"http://{self.access.host}:{self._server.port}",
            registry=self.access.registry,
            storage_class=self.access.storage_class,
            runtime_class=self.access.runtime_class,
            pending=50,
        )
        return KubernetesRuntime(Cluster(self.access.kubeconfig, self.namespace), placement)

    @override
    def in_place(self, path: Path) -> FileSource:
        """The test's data as a claim of the cluster: a volume that somebody made before, on the folder itself."""
        root = self.root / "data"
        if root not in self.claims:
            self.claims[root] = claim_of_folder(self.access, self.namespace, root)
        return Claim(claim=self.claims[root], path=str(path.relative_to(root)))

    @override
    async def let_go(self, runtime: Runtime) -> None:
        assert isinstance(runtime, KubernetesRuntime)
        await runtime.aclose()
        await runtime._cluster.aclose()

    @override
    async def clean(self) -> None:
        await super().clean()
        self._server.close()
        for name in self.claims.values():
            self.access.kubectl("delete", "pvc", name, f"--namespace={self.namespace}", "--wait=false")
            self.access.kubectl("delete", "pv", name, "--wait=false")

    @override
    async def left(self) -> list[str]:
        return await objects_left(self.access, self.namespace)


class _Pods(ThreadingHTTPServer):
    """Tells configure pods what to write, and takes what publish pods collect."""

    daemon_threads = True

    def __init__(self, place: KubernetesPlace) -> None:
        super().__init__((place.access.host, 0), _Handler)
        self.place = place
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def close(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: _Pods

    def do_GET(self) -> None:
        _, execution, stage = self.path.split("/")
        place = self.server.place
        sources = place.sources[ExecutionId(execution)]
        named = ((name.rpartition(":"), text) for name, text in sources.items())
        problem = place.configure_problem
        wish: dict[str, Any] = {
            "seconds": place.configure_seconds,
            "reason": None,
            "defect": None,
            "names": sorted(sources),
            "files": {file: text for (of, _, file), text in named if of in ("", stage)},
        }
        if isinstance(problem, InsituError):
            wish["reason"] = {"code": problem.code, "message": problem.detail}
        elif problem is not None:
            wish["defect"] = str(problem)
        self._answer(json.dumps(wish).encode())

    def do_POST(self) -> None:
        execution = ExecutionId(self.path.split("/")[1])
        body = self.rfile.read(int(self.headers["Content-Length"]))
        place = self.server.place
        folder = place.root / "published" / f"{execution}-{secrets.token_hex(2)}"
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            archive.extractall(folder)  # written by the pods of this very test
        outputs = {int(path.name): path for path in folder.iterdir()} if folder.exists() else {}
        volumes = {
            stage: OutputVolume(
                stage, path / "output", path / "logs", path / "console.log" if (path / "console.log").exists() else None
            )
            for stage, path in outputs.items()
        }
        place.published[execution] = Workspace(folder / "fetched", folder / "algorithm", volumes)
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the test says what went wrong."""
