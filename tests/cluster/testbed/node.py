"""One node: containerd, kubelet, and the networks of its pods."""

import json
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.testbed.binaries import cni_plugins, component, tool
from tests.cluster.testbed.disk import EVICTION
from tests.cluster.testbed.layout import BRIDGE, DNS_SERVICE, DOMAIN, REGISTRY, REGISTRY_PORT, Layout, NodeAddress
from tests.cluster.testbed.policies import PLUGIN, plugin_program
from tests.cluster.testbed.processes import Processes

PAUSE = "insitu.local/pause:1"
LO_ONLY = "lo-only"
"""RuntimeClass handler of pods that have nothing but loopback."""

LO_ONLY_PLUGIN = """\
#!/bin/sh
# A network plugin that reports an address, which the container runtime insists on, and makes no device.
case "$CNI_COMMAND" in
  VERSION) echo '{"cniVersion":"0.4.0","supportedVersions":["0.3.1","0.4.0"]}' ;;
  ADD) cat >/dev/null
    printf '{"cniVersion":"0.4.0","interfaces":[{"name":"%s","sandbox":"%s"}],' "$CNI_IFNAME" "$CNI_NETNS"
    printf '"ips":[{"version":"4","address":"127.0.0.2/8","interface":0}]}' ;;
  *) cat >/dev/null ;;
esac
"""


@dataclass(frozen=True)
class Node:
    """A node and the folder of everything that belongs to it."""

    address: NodeAddress
    layout: Layout

    @property
    def folder(self) -> Path:
        """The node's folder."""
        return self.layout.node(self.address)

    @property
    def socket(self) -> Path:
        """containerd's socket."""
        return self.folder / "containerd.sock"

    def configure(self) -> None:
        """Write the configuration of containerd, kubelet and networks."""
        for name in ("cni", "cni-lo", "cnibin", "certs.d"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._write_networks()
        host = self.folder / "certs.d" / REGISTRY
        host.mkdir(parents=True, exist_ok=True)
        url = f"http://127.0.0.1:{REGISTRY_PORT}"
        if self.address.namespace is not None:
            url = f"http://10.99.0.1:{REGISTRY_PORT}"
        host.joinpath("hosts.toml").write_text(
            f'server = "{url}"\n[host."{url}"]\n  capabilities = ["pull", "resolve"]\n'
        )
        self.folder.joinpath("containerd.toml").write_text(self._containerd())
        self.folder.joinpath("kubelet.yaml").write_text(self._kubelet())

    def start_containerd(self, processes: Processes) -> None:
        """Start the container runtime and wait for its socket."""
        name = f"{self.address.name}-containerd"
        path = f"{tool('containerd').parent}:/usr/sbin:/usr/bin:/sbin:/bin"
        command = [tool("containerd"), "--config", self.folder / "containerd.toml"]
        processes.start(name, command, node=self.address, env={"PATH": path})
        processes.wait(name, lambda: self.ctr("version", check=False))

    def start_kubelet(self, processes: Processes) -> None:
        """Start the kubelet; the API server must be up."""
        if self.address.namespace is not None:
            self._make_cgroup_root()
        processes.start(
            f"{self.address.name}-kubelet",
            [
                component("kubelet"),
                f"--kubeconfig={self.layout.work / 'kubeconfig-nodes'}",
                f"--config={self.folder / 'kubelet.yaml'}",
                f"--root-dir={self.folder / 'kubelet'}",
                f"--cert-dir={self.layout.pki}",
                f"--hostname-override={self.address.name}",
                f"--node-ip={self.address.ip}",
            ],
            node=self.address,
        )

    def ctr(self, *words: str, check: bool = True) -> bool:
        """Call containerd's own client in the namespace of Kubernetes."""
        command = [tool("ctr"), "--address", self.socket, "--namespace", "k8s.io", *words]
        return subprocess.run(command, check=check, capture_output=True, text=True).returncode == 0

    def import_image(self, archive: Path) -> None:
        """Load an OCI archive into the node."""
        self.ctr("images", "import", str(archive))

    def _write_networks(self) -> None:
        for plugin in cni_plugins().iterdir():
            link = self.folder / "cnibin" / plugin.name
            if not link.is_symlink():
                link.symlink_to(plugin)
        for name, program in (
            (LO_ONLY, LO_ONLY_PLUGIN),
            (PLUGIN, plugin_program(self.layout.policies, self.address)),
        ):
            own = self.folder / "cnibin" / name
            own.write_text(program)
            own.chmod(0o755)
        # Each pod has a cable to the node and no other: what goes to a pod beside it is routed, and so is filtered.
        cable = {
            "type": "ptp",
            "ipMasq": False,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": self.address.pods}]],
                "routes": [{"dst": "0.0.0.0/0"}],
                "dataDir": str(self.folder / "cni-leases"),
            },
        }
        # Without this a pod would reach its node's services by their link-local address, past every policy for IPv4.
        only_ipv4 = {"type": "tuning", "sysctl": {"net.ipv6.conf.eth0.disable_ipv6": "1"}}
        enforced = {"type": PLUGIN}
        _conflist(self.folder / "cni" / "10-pods.conflist", "pods", cable, only_ipv4, enforced)
        _conflist(self.folder / "cni-lo" / "10-lo.conflist", LO_ONLY, {"type": LO_ONLY})

    def _containerd(self) -> str:
        folder = self.folder
        return textwrap.dedent(f"""\
            version = 2
            root = "{folder}/containerd-root"
            state = "{folder}/containerd-state"
            [grpc]
              address = "{self.socket}"
            [plugins."io.containerd.internal.v1.opt"]
              path = "{folder}/containerd-opt"
            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = "{PAUSE}"
              restrict_oom_score_adj = true
              netns_mounts_under_state_dir = true
              [plugins."io.containerd.grpc.v1.cri".registry]
                config_path = "{folder}/certs.d"
              [plugins."io.containerd.grpc.v1.cri".cni]
                bin_dir = "{folder}/cnibin"
                conf_dir = "{folder}/cni"
              [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
                runtime_type = "io.containerd.runc.v2"
              [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{LO_ONLY}]
                runtime_type = "io.containerd.runc.v2"
                cni_conf_dir = "{folder}/cni-lo"
            """)

    def _kubelet(self) -> str:
        pki, name, folder = self.layout.pki, self.address.name, self.folder
        root = "" if self.address.namespace is None else f"cgroupRoot: /{self.address.namespace}\n"
        return root + textwrap.dedent(f"""\
            apiVersion: kubelet.config.k8s.io/v1beta1
            kind: KubeletConfiguration
            authentication:
              anonymous: {{enabled: false}}
              webhook: {{enabled: true}}
              x509: {{clientCAFile: {pki}/ca.crt}}
            authorization: {{mode: Webhook}}
            tlsCertFile: {pki}/{name}.crt
            tlsPrivateKeyFile: {pki}/{name}.key
            address: {self.address.ip}
            healthzPort: 0
            cgroupDriver: cgroupfs
            failSwapOn: false
            failCgroupV1: false
            oomScoreAdj: 0
            enforceNodeAllocatable: []
            containerRuntimeEndpoint: unix://{self.socket}
            imageGCHighThresholdPercent: 100
            evictionHard:
              nodefs.available: "{EVICTION:.0%}"
              imagefs.available: "{EVICTION:.0%}"
              memory.available: "100Mi"
            podPidsLimit: 64
            containerLogMaxSize: 512Mi
            podLogsDir: {folder}/pod-logs
            volumePluginDir: {folder}/volume-plugins
            makeIPTablesUtilChains: false
            resolvConf: ""
            clusterDNS: [{DNS_SERVICE}]
            clusterDomain: {DOMAIN}
            """)

    def _make_cgroup_root(self) -> None:
        for controller in Path("/sys/fs/cgroup").iterdir():
            if not controller.is_dir() or (controller / "cgroup.controllers").exists():
                continue
            root = controller / str(self.address.namespace)
            root.mkdir(exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):
                if (root / name).exists():
                    (root / name).write_text((controller / name).read_text())


def _conflist(path: Path, name: str, *plugins: dict[str, object]) -> None:
    path.write_text(json.dumps({"cniVersion": "0.4.0", "name": name, "plugins": plugins}, indent=2))


__all__ = ["BRIDGE", "LO_ONLY", "PAUSE", "Node"]
