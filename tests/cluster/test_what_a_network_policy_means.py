"""The rules that the testbed makes of network policies: the points of the API in which an enforcer can go wrong."""

import pytest
from lightkube.models.meta_v1 import LabelSelector, LabelSelectorRequirement, ObjectMeta
from lightkube.models.networking_v1 import (
    IPBlock,
    NetworkPolicyEgressRule,
    NetworkPolicyIngressRule,
    NetworkPolicyPeer,
    NetworkPolicyPort,
    NetworkPolicySpec,
)
from lightkube.resources.networking_v1 import NetworkPolicy

from tests.cluster.testbed.layout import NODE1
from tests.cluster.testbed.policy_rules import PodPlace, Rules, selects

A = PodPlace("a", "here", {"role": "compute"}, "10.201.1.2", "node1", {})
B = PodPlace("b", "here", {}, "10.201.1.3", "node1", {"http": ("tcp", 8030)})
C = PodPlace("c", "there", {"role": "compute"}, "10.201.2.4", "node2", {"http": ("tcp", 9000)})
EVERYBODY = LabelSelector()


def chains(**spec: object) -> dict[str, list[str]]:
    """What node1 does with the three pods under one policy of the first one's namespace."""
    policy = NetworkPolicy(
        metadata=ObjectMeta(name="policy", namespace="here"),
        spec=NetworkPolicySpec(**{"podSelector": EVERYBODY, **spec}),  # type: ignore[arg-type]
    )
    text = Rules([A, B, C], {"here": {"of": "us"}, "there": {"of": "them"}}, [policy]).table(NODE1)
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("chain "):
            found[line.split()[1]] = lines = []
        elif line != "}" and found:
            lines.append(line)
    return found


def test_no_rule_allows_nothing_and_only_the_selected_pods_are_closed() -> None:
    closed = chains(podSelector=LabelSelector(matchLabels={"role": "compute"}), policyTypes=["Ingress", "Egress"])
    assert closed["from-10-201-1-2"] == closed["to-10-201-1-2"] == ["drop"]
    assert not {"from-10-201-1-3", "to-10-201-1-3", "to-10-201-2-4"} & set(closed)


def test_a_policy_without_types_closes_what_comes_in_and_what_goes_out_only_where_it_has_rules() -> None:
    assert {name for name in chains() if "-" in name} == {"to-10-201-1-2", "to-10-201-1-3"}
    assert "from-10-201-1-2" in chains(egress=[NetworkPolicyEgressRule()])


def test_an_empty_rule_allows_everybody_everything() -> None:
    assert chains(policyTypes=["Egress"], egress=[NetworkPolicyEgressRule()])["from-10-201-1-2"] == ["return", "drop"]


def test_two_selectors_of_one_peer_both_hold_and_a_pod_selector_alone_means_the_own_namespace() -> None:
    compute = LabelSelector(matchLabels={"role": "compute"})
    them = LabelSelector(matchLabels={"of": "them"})

    def allowed(*peers: NetworkPolicyPeer) -> list[str]:
        return chains(policyTypes=["Ingress"], ingress=[NetworkPolicyIngressRule(from_=list(peers))])["to-10-201-1-3"]

    assert allowed(NetworkPolicyPeer(podSelector=compute, namespaceSelector=them)) == [
        "ip saddr 10.201.2.4 return",
        "drop",
    ]
    assert allowed(NetworkPolicyPeer(podSelector=compute)) == ["ip saddr 10.201.1.2 return", "drop"]
    assert len(allowed(NetworkPolicyPeer(podSelector=compute), NetworkPolicyPeer(namespaceSelector=them))) == 3


def test_a_port_is_a_number_a_range_a_protocol_or_the_name_that_the_receiver_gave_it() -> None:
    ports = [
        NetworkPolicyPort(port="http"),
        NetworkPolicyPort(port=53, protocol="UDP"),
        NetworkPolicyPort(port=80, endPort=90),
        NetworkPolicyPort(protocol="SCTP"),
    ]
    peer = NetworkPolicyPeer(namespaceSelector=LabelSelector(matchLabels={"of": "them"}))
    out = chains(policyTypes=["Egress"], egress=[NetworkPolicyEgressRule(to=[peer], ports=ports)])["from-10-201-1-2"]
    who = "ip daddr 10.201.2.4"
    assert out == [
        f"{who} tcp dport 9000 return",
        f"{who} udp dport 53 return",
        f"{who} tcp dport 80-90 return",
        f"{who} meta l4proto sctp return",
        "drop",
    ]
    into = chains(policyTypes=["Ingress"], ingress=[NetworkPolicyIngressRule(ports=ports[:1])])
    assert into["to-10-201-1-3"] == ["tcp dport 8030 return", "drop"]
    assert into["to-10-201-1-2"] == ["drop"]


def test_a_block_of_addresses_has_exceptions() -> None:
    block = NetworkPolicyPeer(ipBlock=IPBlock("0.0.0.0/0", except_=["10.0.0.0/8"]))
    out = chains(policyTypes=["Egress"], egress=[NetworkPolicyEgressRule(to=[block])])["from-10-201-1-2"]
    assert out == ["ip daddr 0.0.0.0/0 ip daddr != { 10.0.0.0/8 } return", "drop"]


def test_a_pod_that_nobody_knows_yet_has_no_network() -> None:
    assert "ip saddr 10.201.1.0/24 drop" in Rules([], {}, []).table(NODE1)
    assert "ip saddr 10.201.1.0/24 ip saddr != { 10.201.1.2, 10.201.1.3 } drop" in chains()["input"]


@pytest.mark.parametrize(
    ("operator", "values", "fits"),
    [("In", ["a"], "a"), ("NotIn", ["a"], "b-"), ("Exists", None, "ab"), ("DoesNotExist", None, "-")],
)
def test_expressions_of_a_selector(operator: str, values: list[str] | None, fits: str) -> None:
    selector = LabelSelector(matchExpressions=[LabelSelectorRequirement("key", operator, values)])
    for value, labels in {"a": {"key": "a"}, "b": {"key": "b"}, "-": {"other": "a"}}.items():
        assert selects(selector, labels) is (value in fits)
