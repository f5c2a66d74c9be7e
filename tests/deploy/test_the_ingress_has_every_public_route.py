"""The ingress exposes what services publish, except what is for holders of tickets and for the gateway."""

import json

import pytest
from lightkube.codecs import load_all_yaml
from lightkube.resources.networking_v1 import Ingress

from tests.parts import ROOT

pytestmark = pytest.mark.needs("docs")

KUSTOMIZE = ROOT / "deploy" / "kustomize"
PRIVATE = ("/api/v1/gateway/tickets", "/api/v1/operator")
"""Tickets are for the pods of executions, the operator is for the gateway."""
PAGES = "insitu-marketplace"
"""It answers 404 to what is not a page, and reaches neither tickets nor the operator's routes."""


def routes(actor: str) -> set[str]:
    """The paths of a service's OpenAPI document, which is generated from its routes."""
    described = json.loads((ROOT / "docs" / "reference" / "openapi" / f"{actor}.json").read_text())
    return {path.replace("{", "").replace("}", "") for path in described["paths"]}


def rules() -> list[tuple[str, str]]:
    """The rules of the only ingress: path and service."""
    (file,) = [path for path in KUSTOMIZE.rglob("*.yaml") if "kind: Ingress\n" in path.read_text()]
    (ingress,) = load_all_yaml(file.read_text())
    assert isinstance(ingress, Ingress)
    found = ingress.to_dict()
    paths = [path for rule in found["spec"]["rules"] for path in rule["http"]["paths"]]
    assert {one["pathType"] for one in paths} == {"Prefix"}
    return [(one["path"], one["backend"]["service"]["name"]) for one in paths]


def sent_to(path: str) -> str | None:
    """The service that gets requests for a path: rules of the type Prefix compare whole elements."""
    fitting = [rule for rule in rules() if path == rule[0] or path.startswith(rule[0].rstrip("/") + "/")]
    return max(fitting, key=lambda rule: len(rule[0]))[1] if fitting else None


@pytest.mark.parametrize("actor", ["gateway", "metadata", "operator"])
def test_a_route_gets_through_to_its_service_or_is_private(actor: str) -> None:
    for path in routes(actor):
        if path.startswith(PRIVATE):
            assert sent_to(path) == PAGES, f"{path} is not for the public"
        else:
            assert sent_to(path) == f"insitu-{actor}", f"{path} of the {actor} does not get through"


def test_nothing_gets_through_that_no_service_publishes() -> None:
    for path, service in rules():
        assert service == PAGES or any(route.startswith(path) for route in routes(service.removeprefix("insitu-")))
    assert sent_to("/healthz") == sent_to("/openapi.json") == PAGES, "of any other service they are for the node"


def test_the_pages_have_everything_else() -> None:
    assert [path for path, service in rules() if service == PAGES] == ["/"]
    assert sent_to("/") == sent_to("/assets/did:nv:1") == sent_to("/no/such/page") == PAGES


@pytest.mark.parametrize("overlay", ["one-cluster", "production"])
def test_an_overlay_has_the_ingress(overlay: str) -> None:
    assert "- ../../components/ingress\n" in (KUSTOMIZE / "overlays" / overlay / "kustomization.yaml").read_text()
