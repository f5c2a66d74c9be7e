"""Where everything of the test cluster lies, and which addresses it uses."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache" / "cluster"
BIN = CACHE / "bin"
PACKAGES = CACHE / "packages"

BRIDGE = "insitu-tb0"
SERVICE_NETWORK = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
DOMAIN = "cluster.local"
POD_NETWORK = "10.201.0.0/16"
API_PORT = 6443
ETCD_PORT = 23790
ETCD_PEER_PORT = 23800
REGISTRY_PORT = 5050
REGISTRY = f"localhost:{REGISTRY_PORT}"


@dataclass(frozen=True)
class NodeAddress:
    """A node's name, its address on the bridge, the network of its pods, and its network namespace (None: host's)."""

    name: str
    ip: str
    pods: str
    namespace: str | None = None


NODE1 = NodeAddress("node1", "10.99.0.1", "10.201.1.0/24")
NODE2 = NodeAddress("node2", "10.99.0.2", "10.201.2.0/24", namespace="insitu-node2")


@dataclass(frozen=True)
class Layout:
    """The folder of one running cluster."""

    work: Path = CACHE / "run"

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.work / "pki"

    @property
    def pids(self) -> Path:
        """One file per process: its id and its start time, so that a stranger's process is never ended."""
        return self.work / "pids"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.work / "logs"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.work / "kubeconfig"

    @property
    def registry(self) -> Path:
        """What the image registry stores."""
        return self.work / "registry"

    @property
    def volumes(self) -> Path:
        """Images and mount points of the static volumes."""
        return self.work / "volumes"

    @property
    def policies(self) -> Path:
        """The socket of the agent that enforces network policies."""
        return self.work / "policies.sock"

    def node(self, node: NodeAddress) -> Path:
        """The folder of one node: kubelet, containerd, network."""
        return self.work / node.name
