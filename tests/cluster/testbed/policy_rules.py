"""What network policies mean (networking.k8s.io/v1, NetworkPolicy), as an nftables table for one node.

Packets of a pod are looked at where its cable ends: what it sends before it is routed to a pod, to the node itself, or
away; what it gets from anybody but its own node, which every policy lets in. A packet that is not allowed is dropped,
never answered. Where a pod is not known yet, nothing is allowed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from itertools import chain

from lightkube.models.meta_v1 import LabelSelector
from lightkube.models.networking_v1 import IPBlock, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec
from lightkube.resources.networking_v1 import NetworkPolicy

from tests.cluster.testbed.layout import NodeAddress

TABLE = "insitu-testbed-policies"


@dataclass(frozen=True)
class PodPlace:
    """A pod that has an address: ``ports`` are its named ports, as protocol and number."""

    uid: str
    namespace: str
    labels: Mapping[str, str]
    address: str
    node: str
    ports: Mapping[str, tuple[str, int]]


@dataclass(frozen=True)
class Peer:
    """Who is on the other side: an expression of addresses, and the pod that named ports are looked up at."""

    addresses: tuple[str, ...]
    pod: PodPlace | None = None


@dataclass(frozen=True)
class Rules:
    """Everything that rules are made of; ``namespaces`` are names with their labels."""

    pods: Sequence[PodPlace]
    namespaces: Mapping[str, Mapping[str, str]]
    policies: Sequence[NetworkPolicy]

    def table(self, node: NodeAddress) -> str:
        """Return what ``nft -f -`` replaces the node's table by, in one step."""
        local = [pod for pod in self.pods if pod.node == node.name]
        chains, sends, gets = [], [], []
        for pod in local:
            egress, ingress = self._egress(pod), self._ingress(pod)
            name = pod.address.replace(".", "-")
            if egress is not None:
                chains.append(_chain(f"from-{name}", egress))
                sends.append(f"{pod.address} : jump from-{name}")
            if ingress is not None:
                chains.append(_chain(f"to-{name}", ingress))
                gets.append(f"{pod.address} : jump to-{name}")
        answers = "ct state established,related accept"
        known = ", ".join(pod.address for pod in local)
        strangers = [
            f"ip {side} {node.pods}" + (f" ip {side} != {{ {known} }}" if known else "") + " drop"
            for side in ("saddr", "daddr")
        ]
        sent = [f"ip saddr vmap {{ {', '.join(sends)} }}"] if sends else []
        got = [f"ip daddr vmap {{ {', '.join(gets)} }}"] if gets else []
        forward = _chain("forward", [_HOOK.format("forward"), answers, *strangers, *sent, *got], end="accept")
        arrive = _chain("input", [_HOOK.format("input"), answers, strangers[0], *sent], end="accept")
        whole = "\n".join([*chains, forward, arrive])
        return f"table ip {TABLE} {{}}\ndelete table ip {TABLE}\ntable ip {TABLE} {{\n{whole}\n}}\n"

    def _egress(self, pod: PodPlace) -> list[str] | None:
        """What a pod may send; None where no policy says."""
        applying = [spec for spec in self._specs(pod) if "Egress" in _types(spec)]
        if not applying:
            return None
        allowed: list[str] = []
        for spec in applying:
            for rule in spec.egress or []:
                named = any(isinstance(port.port, str) for port in rule.ports or [])
                for peer in self._peers(pod.namespace, rule.to, named=named):
                    allowed += _allowed("daddr", peer, rule.ports, peer.pod)
        return allowed

    def _ingress(self, pod: PodPlace) -> list[str] | None:
        """What a pod may get; None where no policy says."""
        applying = [spec for spec in self._specs(pod) if "Ingress" in _types(spec)]
        if not applying:
            return None
        allowed: list[str] = []
        for spec in applying:
            for rule in spec.ingress or []:
                for peer in self._peers(pod.namespace, rule.from_):
                    allowed += _allowed("saddr", peer, rule.ports, pod)
        return allowed

    def _specs(self, pod: PodPlace) -> Iterator[NetworkPolicySpec]:
        for policy in self.policies:
            assert policy.metadata is not None
            spec, near = policy.spec, policy.metadata.namespace == pod.namespace
            if spec is not None and near and selects(spec.podSelector or LabelSelector(), pod.labels):
                yield spec

    def _peers(
        self, namespace: str, peers: Sequence[NetworkPolicyPeer] | None, *, named: bool = False
    ) -> Iterator[Peer]:
        if not peers:
            yield Peer(())
            if named:
                yield from (Peer((pod.address,), pod) for pod in self.pods)
            return
        for peer in peers:
            if peer.ipBlock is not None:
                yield from _block(peer.ipBlock)
                continue
            for pod in self.pods:
                near = pod.namespace == namespace
                if peer.namespaceSelector is not None:
                    near = selects(peer.namespaceSelector, self.namespaces.get(pod.namespace, {}))
                if near and selects(peer.podSelector or LabelSelector(), pod.labels):
                    yield Peer((pod.address,), pod)


_HOOK = "type filter hook {} priority filter; policy accept;"


def selects(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """Tell whether a selector fits labels; an empty one fits all."""
    if any(labels.get(key) != value for key, value in (selector.matchLabels or {}).items()):
        return False
    for rule in selector.matchExpressions or []:
        there, values = rule.key in labels, rule.values or []
        fits = {
            "In": there and labels.get(rule.key) in values,
            "NotIn": labels.get(rule.key) not in values,
            "Exists": there,
            "DoesNotExist": not there,
        }
        if not fits[rule.operator]:
            return False
    return True


def _types(spec: NetworkPolicySpec) -> Iterable[str]:
    return spec.policyTypes or chain(("Ingress",), ("Egress",) if spec.egress else ())


def _block(block: IPBlock) -> Iterator[Peer]:
    if ip_network(block.cidr).version == 4:
        yield Peer((block.cidr, *(block.except_ or [])))


def _allowed(side: str, peer: Peer, ports: Sequence[NetworkPolicyPort] | None, named: PodPlace | None) -> Iterator[str]:
    """The statements that let a packet pass, back to whoever jumped here."""
    who = ""
    if peer.addresses:
        first, *without = peer.addresses
        who = f"ip {side} {first} " + (f"ip {side} != {{ {', '.join(without)} }} " if without else "")
    if not ports:
        yield f"{who}return"
    for port in ports or []:
        protocol = (port.protocol or "TCP").lower()
        if port.port is None:
            yield f"{who}meta l4proto {protocol} return"
        elif isinstance(port.port, int):
            upto = f"-{port.endPort}" if port.endPort else ""
            yield f"{who}{protocol} dport {port.port}{upto} return"
        elif named is not None and named.ports.get(port.port, ("", 0))[0] == protocol:
            yield f"{who}{protocol} dport {named.ports[port.port][1]} return"


def _chain(name: str, statements: Iterable[str], end: str = "drop") -> str:
    return "\n".join([f"chain {name} {{", *statements, end, "}"])
