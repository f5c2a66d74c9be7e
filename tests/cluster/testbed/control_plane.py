"""etcd, API server, controller manager, scheduler; and the kubeconfig files that reach them."""

import secrets
import ssl
import textwrap
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path

from tests.cluster.testbed.binaries import component
from tests.cluster.testbed.layout import API_PORT, ETCD_PEER_PORT, ETCD_PORT, NODE1, SERVICE_NETWORK, Layout
from tests.cluster.testbed.processes import Processes

NAMES = ("kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")
"""In the order in which they are stopped."""


def write_access(layout: Layout) -> None:
    """Draw the administrator's token and write the kubeconfig files, unless they are there."""
    tokens = layout.pki / "tokens.csv"
    if not tokens.exists():
        tokens.touch(mode=0o600)
        tokens.write_text(f'{secrets.token_hex(16)},admin,admin,"system:masters"\n')
    token = tokens.read_text().split(",")[0]
    _kubeconfig(layout.kubeconfig, layout, "127.0.0.1", token)
    _kubeconfig(layout.work / "kubeconfig-nodes", layout, NODE1.ip, token)


def start_control_plane(layout: Layout, processes: Processes) -> None:
    """Start all four and wait until the API server is ready."""
    etcd = f"http://127.0.0.1:{ETCD_PORT}"
    peer = f"http://127.0.0.1:{ETCD_PEER_PORT}"
    pki, config = layout.pki, f"--kubeconfig={layout.kubeconfig}"
    processes.start(
        "etcd",
        [
            component("etcd"),
            f"--data-dir={layout.work / 'etcd'}",
            "--unsafe-no-fsync",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        ],
    )
    processes.start(
        "kube-apiserver",
        [
            component("kube-apiserver"),
            f"--etcd-servers={etcd}",
            f"--service-cluster-ip-range={SERVICE_NETWORK}",
            f"--secure-port={API_PORT}",
            "--bind-address=0.0.0.0",
            f"--advertise-address={NODE1.ip}",
            f"--tls-cert-file={pki}/apiserver.crt",
            f"--tls-private-key-file={pki}/apiserver.key",
            f"--token-auth-file={pki}/tokens.csv",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",
            "--service-account-issuer=https://kubernetes.default",
            f"--service-account-signing-key-file={pki}/sa.key",
            f"--service-account-key-file={pki}/sa.key",
            "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-certificate-authority={pki}/ca.crt",
            f"--kubelet-client-certificate={pki}/apiserver-kubelet.crt",
            f"--kubelet-client-key={pki}/apiserver-kubelet.key",
        ],
    )
    processes.wait("kube-apiserver", lambda: api_answers(layout, "/readyz"))
    access = [
        config,
        f"--authentication-kubeconfig={layout.kubeconfig}",
        f"--authorization-kubeconfig={layout.kubeconfig}",
    ]
    shared = [*access, "--leader-elect=false", "--bind-address=127.0.0.1", f"--cert-dir={pki}"]
    processes.start(
        "kube-controller-manager",
        [
            component("kube-controller-manager"),
            *shared,
            f"--service-account-private-key-file={pki}/sa.key",
            f"--root-ca-file={pki}/ca.crt",
            "--use-service-account-credentials=true",
        ],
    )
    processes.start("kube-scheduler", [component("kube-scheduler"), *shared])


def api_answers(layout: Layout, path: str) -> bool:
    """Tell whether the API server answers a path with success, as the administrator."""
    token = (layout.pki / "tokens.csv").read_text().split(",")[0]
    request = urllib.request.Request(
        f"https://127.0.0.1:{API_PORT}{path}", headers={"Authorization": f"Bearer {token}"}
    )
    context = ssl.create_default_context(cafile=str(layout.pki / "ca.crt"))
    try:
        with urllib.request.urlopen(request, context=context, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _kubeconfig(path: Path, layout: Layout, host: str, token: str) -> None:
    authority = b64encode((layout.pki / "ca.crt").read_bytes()).decode()
    path.touch(mode=0o600)
    path.write_text(
        textwrap.dedent(f"""\
            apiVersion: v1
            kind: Config
            clusters:
            - name: testbed
              cluster: {{server: "https://{host}:{API_PORT}", certificate-authority-data: {authority}}}
            users: [{{name: admin, user: {{token: {token}}}}}]
            contexts: [{{name: testbed, context: {{cluster: testbed, user: admin}}}}]
            current-context: testbed
            """)
    )
