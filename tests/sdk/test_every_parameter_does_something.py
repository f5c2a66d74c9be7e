"""Each parameter of the SDK changes what is requested, written or returned, or is refused; the table says which.

A method is called twice, with and without the parameter, with neighbours that only write down what they are asked for.
"""

import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

import insitu
import insitu.sdk.agreements as agreements_module
import insitu.sdk.client as client_module
import insitu.stack.client as connecting
from insitu.api.gateway_v1 import Closing, Quote, ReceiptView, ResultView
from insitu.domain.agreement import agreement_id
from insitu.domain.algorithm import AlgorithmDescription
from insitu.domain.ddo import read_ddo
from insitu.domain.errors import InsituError
from insitu.ports.chain import TokenInfo
from insitu.sdk.agreements import Agreements
from insitu.sdk.arguments import REFUSED
from insitu.sdk.assets import Assets
from insitu.sdk.client import Client
from insitu.sdk.compute import Compute
from insitu.sdk.execution import Execution
from insitu.sdk.workflows import NewAlgorithm, Previous, Stage, describe_stages
from insitu.settings.reading import read_settings
from tests.cli.conftest import ADDRESS, AGREEMENT, DID, EXECUTION, NEXT, OTHER, SECOND, Asked, dataset
from tests.cli.test_a_receipt_is_compared_with_what_it_speaks_of import view
from tests.domain.documents import DOMAIN, PROVIDER, state_of_word, terms
from tests.sdk.what_parameters_change import CHANGES

CLASSES = (Client, Assets, Agreements, Compute, Execution)
CONTAINER = {"image": "python", "tag": "3.11", "checksum": "sha256:" + "0" * 64}
STAGE = Stage(algorithm=DID, inputs=[DID], container=CONTAINER)
STATES = {"published", "any"}
"""Names in the table that stand for what a call finds out."""


def public_calls() -> dict[str, set[str]]:
    """Every public call with the names of its parameters."""
    found = {name: set(inspect.signature(getattr(insitu, name)).parameters) for name in ("connect", "connect_async")}
    found |= {one.__name__: {field.name for field in dataclasses.fields(one)} for one in (Stage, Previous)}
    for one in CLASSES:
        for name, member in inspect.getmembers(one, inspect.isfunction):
            if not name.startswith("_"):
                found[f"{one.__name__}.{name}"] = set(inspect.signature(member).parameters) - {"self"}
    return {name: parameters for name, parameters in found.items() if parameters}


def words(listed: Any) -> list[str]:
    """Return the names of a row of the table."""
    return [name for names in listed.values() for name in names.split()]


def test_the_table_knows_every_parameter() -> None:
    assert {name: set(words(rows)) for name, rows in CHANGES.items()} == public_calls()


# What is given: to a call; for a parameter, without it and with it where a word of its type does not do.
GIVEN: dict[str, dict[str, Any]] = {
    "Client.gateway_at": {"url": "http://one"},
    "Client.run": {"algorithm": "count.py", "on": DID},
    "Client.revise": {"agreement": AGREEMENT, "algorithm": "count.py"},
    "Client.check": {"algorithm": "count.py", "on": DID},
    "Client.check_stages": {"stages": [STAGE]},
    "Client.verify": {"receipt": view(), "on_chain": False},
    "Client.release": {"receipt": ReceiptView.model_validate(view())},
    "Assets.register_asset": {"asset_metadata": {"main": {"name": "a", "type": "dataset"}}},
    "Assets.publish_dataset": {"name": "a", "files": ["http://host/a.csv"], "algorithms": "any"},
    "Assets.publish_algorithm": {"name": "a", "files": {"a.py": "1"}},
    "Assets.publish_with_workflow": {"name": "a", "files": {"a.py": "1"}, "stage": STAGE},
    "Assets.read_algorithm": {"name": "a", "files": {"a.py": "1"}},
    "Assets.describe_workflow": {"stages": [STAGE]},
    "Assets.publish_workflow": {"name": "a", "stages": [STAGE]},
    "Assets.resolve": {"did": DID},
    "Assets.update_asset": {"did": DID, "asset_metadata": {"name": "b"}},
    "Assets.summaries": {"dids": [DID]},
    "Assets.set_listed": {"did": DID, "listed": True},
    "Assets.hide": {"did": DID, "reason": "spam"},
    "Assets.feature": {"did": DID, "reason": "of the month"},
    "Assets.curated": {"what": "hidden"},
    "Assets.pause": {"did": DID},
    "Assets.transfer": {"did": DID, "owner": ADDRESS},
    "Assets.download": {"did": DID, "folder": "folder"},
    "Agreements.check": {"workflow_did": DID},
    "Agreements.check_planned": {"described": describe_stages([STAGE], [CONTAINER], [{"id": DID}])},
    "Agreements.require_revision": {"agreement": AGREEMENT, "described": {"stages": []}},
    "Agreements.buy": {"workflow_did": DID, "wait": False, "seed": "7" * 64},
    "Agreements.preview_close": {"agreement": AGREEMENT},
    "Agreements.close": {"agreement": AGREEMENT},
    "Compute.execute": {"agreement": AGREEMENT, "idempotency_key": "six"},
    "Compute.run_workflow": {"workflow_did": DID},
    "Compute.execution": {"agreement": AGREEMENT, "execution": EXECUTION},
    "Execution.download": {"folder": "folder"},
    "Stage": {"algorithm": DID, "inputs": [DID], "container": CONTAINER},
    "Previous": {"stage": 0},
}
NOTHING: Any = object()


def refuse_all(changes: tuple[str, ...]) -> None:
    """Stop whatever is to be signed."""
    raise InsituError("InvalidRequest", "; ".join(changes))


VALUES: dict[str, tuple[Any, Any]] = {
    "account": (NOTHING, "owner"),
    "accounts": (NOTHING, [ADDRESS]),
    "after": (NOTHING, "1:1:7"),
    "agreement": (AGREEMENT, SECOND),
    "algorithm": ("count.py", "sum.py"),
    "algorithms": ([DID], "any"),
    "asset_metadata": ({"main": {"name": "a"}}, {"main": {"name": "b"}}),
    "checksum": (NOTHING, "7" * 64),
    "confirm": (NOTHING, refuse_all),
    "configuration": (NOTHING, {"ward": "C"}),
    "container": (NOTHING, CONTAINER),
    "containers": (NOTHING, [CONTAINER]),
    "consumers": ("any", [ADDRESS]),
    "cpu": (NOTHING, 7),
    "data": (NOTHING, "pinned"),
    "described": (describe_stages([STAGE], [CONTAINER], [{"id": DID}]), {"stages": []}),
    "did": (DID, OTHER),
    "dids": ([DID], [DID, OTHER]),
    "disk": (NOTHING, "7gb"),
    "execution": (EXECUTION, NEXT),
    "filters": (NOTHING, {"tag": "seven"}),
    "failures": (NOTHING, "free"),
    "follow": (True, False),
    "gpu": (NOTHING, 7),
    "home": ("empty", "folder"),
    "inputs": ([DID], [OTHER]),
    "limit": (NOTHING, 7),
    "listed": (True, False),
    "live": (NOTHING, False),
    "max_executions": (NOTHING, 7),
    "max_price": (NOTHING, "0.000000000000000001"),
    "memory": (NOTHING, "7gb"),
    "offer": (NOTHING, True),
    "on": (DID, [DID, OTHER]),
    "on_chain": (False, True),
    "output": (NOTHING, {"maxBytes": 7}),
    "overwrite": (NOTHING, True),
    "owner": (ADDRESS, "0x" + "34" * 20),
    "parameters": (NOTHING, ["ward"]),
    "price": (NOTHING, "7"),
    "provider": (NOTHING, ADDRESS),
    "publishers": (NOTHING, [ADDRESS]),
    "reading": (NOTHING, DID),
    "reason": ("spam", "scam"),
    "relay": (NOTHING, True),
    "revisions": (NOTHING, "always"),
    "seconds": (NOTHING, 0.0),
    "seed": ("7" * 64, "8" * 64),
    "servers": (NOTHING, [{"serverId": "seven"}]),
    "service_index": (NOTHING, 7),
    "services_description": (NOTHING, [{"type": "compute"}]),
    "signer": (NOTHING, PROVIDER),
    "stages": ([STAGE], [dataclasses.replace(STAGE, stage_type="seven")]),
    "stage": (STAGE, dataclasses.replace(STAGE, container=None)),
    "tags": (NOTHING, ["seven"]),
    "categories": (NOTHING, ["seven"]),
    "timeout": (NOTHING, 7),
    "url": ("http://one", "http://two"),
    "wait": (False, True),
    "without_compute": (NOTHING, True),
    "what": ("hidden", "featured"),
    "workflow_did": (DID, OTHER),
}
SPECIAL: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = {
    ("Assets.publish_dataset", "files"): ({"files": ["http://host/a.csv"]}, {"files": ["http://host/b.csv"]}),
    ("Assets.publish_dataset", "publishers"): ({"algorithms": []}, {"algorithms": [], "publishers": [ADDRESS]}),
    ("Assets.update_asset", "services_description"): (
        {},
        {"services_description": [{"type": "compute", "attributes": {"main": {"price": "7"}}}]},
    ),
    ("Assets.publish_algorithm", "files"): ({"files": {"a.py": "1"}}, {"files": {"a.py": "2"}}),
    ("Assets.read_algorithm", "files"): ({"files": {"a.py": "1"}}, {"files": {"a.py": "2"}}),
    ("Assets.download", "folder"): ({"folder": "new"}, {"folder": "folder"}),
    ("Execution.download", "folder"): ({"folder": "new"}, {"folder": "folder"}),
    ("Compute.events", "after"): ({}, {"after": 7}),
    ("Execution.events", "after"): ({}, {"after": 7}),
    ("Compute.execute", "parameters"): ({}, {"parameters": {"0": {"ward": "C"}}}),
    ("Agreements.require_revision", "described"): (
        {"agreement": agreement_id(terms(), DOMAIN)},
        {"agreement": agreement_id(terms(), DOMAIN), "described": {"stages": [{}]}},
    ),
    ("Client.verify", "receipt"): ({"receipt": view()}, {"receipt": {}}),
    ("Client.verify", "files"): ({}, {"files": "folder"}),
    ("Client.verify", "opening"): ({}, {"opening": {"surprise": 7}}),
    ("Client.release", "receipt"): ({}, {"receipt": ReceiptView(receipt_hash="0x", envelope={})}),
    ("Agreements.require_agreeable", "quote"): ({}, {"quote": None}),
    ("Agreements.buy", "max_price"): ({}, {"max_price": "0.000000000000000001"}),
    ("Agreements.close", "max_charge"): (
        {"agreement": agreement_id(terms(), DOMAIN), "max_charge": "0.1"},
        {"agreement": agreement_id(terms(), DOMAIN)},
    ),
    ("Previous", "stage"): ({"stage": 0}, {"stage": 1}),
    ("Stage", "container"): ({"container": CONTAINER}, {"container": CONTAINER | {"tag": "7"}}),
    ("Stage", "algorithm"): ({"algorithm": DID}, {"algorithm": OTHER}),
    ("Stage", "output"): ({}, {"output": {"name": "seven"}}),
    ("connect", "password"): ({"account": "owner"}, {"account": "owner", "password": "seven"}),
    ("connect_async", "password"): ({"account": "owner"}, {"account": "owner", "password": "seven"}),
}


def given(call: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is given to a call without and with a parameter."""
    base = dict(GIVEN.get(call, {}))
    if (call, name) in SPECIAL:
        without, with_it = SPECIAL[call, name]
        return base | without, base | with_it
    before, after = VALUES.get(name, (NOTHING, "seven"))
    if before is NOTHING and name in base:
        before = base[name]
    base.pop(name, None)
    return base if before is NOTHING else base | {name: before}, base | {name: after}


class World:
    """The SDK with neighbours that write down what they are asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.trace: list[str] = []
        self.patch, self.folder = monkeypatch, folder
        ddo = read_ddo(dataset())
        self.quote = Quote(
            allowed=True, did=DID, inputs_hash="0x" + "33" * 32, workflow_did=DID, workflow_hash="0x" + "55" * 32,
            service_index=1, provider=ADDRESS, price=5,
        )  # fmt: skip
        result = ResultView(did=DID, owner=ADDRESS, files=(), registered=True, expires_at="2026-01-02T00:00:00Z")
        record = SimpleNamespace(owner=ADDRESS, checksum="c", did=DID, url="u", version=1)
        self.answers: dict[str, Any] = {
            "token": TokenInfo(ADDRESS, "Token", "NVM", 18),
            "resolve": SimpleNamespace(ddo=ddo, did=DID, owner=ADDRESS, checksum="c", record=record),
            "record": record,
            "gateway_info": SimpleNamespace(supported_containers=[], supported_servers=[]),
            "info": SimpleNamespace(supported_containers=[], supported_servers=[], provider_address=ADDRESS),
            "pause": None,
            "provide": None,
            "remove_providers": None,
            "earlier": None,
            "key_of": "key",
            "upload": SimpleNamespace(url="upload:x", sha256="0" * 64, size=1),
            "plan": SimpleNamespace(described={"stages": []}),
            "publish": "7" * 64,
            "require_revision": None,
            "show": SimpleNamespace(workflow_did=DID),
            "read_algorithm": NewAlgorithm(AlgorithmDescription.read({"entrypoint": "python3 a.py"})),
            "describe_workflow": {"stages": []},
            "check_planned": self.quote,
            "check": self.quote,
            "require_agreeable": None,
            "publish_algorithm": SimpleNamespace(did=DID),
            "publish_workflow": SimpleNamespace(did=DID),
            "publish_with_workflow": SimpleNamespace(did=DID),
            "prepare": SimpleNamespace(unsigned=SimpleNamespace(did=DID, checksum="c")),
            "register": SimpleNamespace(did=DID),
            "register_all": [SimpleNamespace(did=DID)] * 2,
            "balance": 10**30,
            "verify": None,
            "time": 1,
            "did_record": record,
            "find_terms": terms(),
            "find_agreements": (),
            "find_settlements": (),
            "result": result,
            "terms": terms(),
            "agreement": state_of_word(2 << 170 | 2 << 168 | 1 << 128),
            "endpoint": "http://one/api/v1/gateway/services/exec",
            "preview_close": Closing(service_agreement_id=AGREEMENT, status="open", charge=1, returned=4),
            "close": Closing(service_agreement_id=AGREEMENT, status="closing", charge=0, returned=5),
            "exec": SimpleNamespace(service_agreement_id=AGREEMENT, workflow_execution_id=EXECUTION),
            "send": SimpleNamespace(transaction="0x7", relayed=False),
            "status": SimpleNamespace(state="listed"),
        }  # fmt: skip

    def neighbour(self, name: str) -> Any:
        """Answers in the name of every neighbour."""
        world = self

        class Neighbour(Asked):
            def __getattr__(self, part: str) -> Any:
                if part.startswith("__"):
                    raise AttributeError(part)
                if (self._name, part) == ("chain", "agreements"):
                    return DOMAIN
                if part in {"archive", "download"}:
                    return world.broken
                if part == "turn":
                    return lambda *arguments: self
                if part == "key_of":
                    return lambda *arguments: world.trace.append(f"key_of{arguments}") or "key"
                return Neighbour(world.trace, world.answers | {f"{name}.{one}": a for one, a in world.answers.items()},
                                 f"{name}.{part}")  # fmt: skip

        return Neighbour(self.trace, self.answers, name)

    def broken(self, *asked: Any) -> Any:
        """Write down what is to be fetched; nothing comes."""
        self.trace.append(f"fetch{asked}")
        raise InsituError("PeerUnavailable", "nothing comes")

    def made(self, name: str) -> Any:
        """An object of the SDK."""
        signer = SimpleNamespace(address=ADDRESS, sign_digest=lambda digest: b"")
        chain, gateway, resolver, metadata = (
            self.neighbour(one) for one in ("chain", "gateway", "resolver", "metadata")
        )
        if name == "Client":
            client = Client(chain, signer, "http://one")
            client.assets, client.agreements, client.compute = map(self.neighbour, ("assets", "agreements", "compute"))
            self.patch.setattr(client, "_revisions", self.neighbour("revisions"))
            return client
        if name == "Assets":
            assets = Assets(chain, signer, metadata, gateway, resolver)
            for part in ("publisher", "registrations"):
                self.patch.setattr(assets, f"_{part}", self.neighbour(part))
            self.patch.setattr(assets, "image_contents", self.neighbour("contents"))
            return assets
        if name == "Agreements":
            for function in ("read_wanted", "read_planned"):
                self.patch.setattr(agreements_module, function, self._wanted(function))
            self.patch.setattr(agreements_module, "verify_quote", self._verified)
            agreements = Agreements(chain, signer, resolver, lambda url: gateway)
            self.patch.setattr(agreements, "_purchases", self.neighbour("purchases"))
            return agreements
        if name == "Compute":
            return Compute(self.neighbour("agreements"), resolver, gateway, lambda url: gateway)
        return Execution(gateway, AGREEMENT, EXECUTION)

    def _wanted(self, name: str) -> Callable[..., Any]:
        async def wanted(*arguments: Any) -> Any:
            self.trace.append(f"{name}{arguments[2:]}")
            return SimpleNamespace(endpoint="http://one/api/v1/gateway/services/exec")

        return wanted

    async def _verified(self, *_: Any) -> None:
        return None

    async def called(self, call: str, arguments: dict[str, Any]) -> tuple[list[str], str]:
        """Call it; return what was asked for, and what came of it."""
        self.trace.clear()
        try:
            ended = await self._called(call, arguments)
        except InsituError as error:
            ended = f"{error.code}: {error.detail}"
        return list(self.trace), str(ended)

    async def _called(self, call: str, arguments: dict[str, Any]) -> Any:
        if call in {"connect", "connect_async"}:
            return self._connected(arguments)
        if call == "Stage":
            stage = Stage(**arguments)
            return describe_stages([stage], [dict(stage.container or {})], [{"id": stage.algorithm}])  # type: ignore[arg-type]
        if call == "Previous":
            return describe_stages([Stage(algorithm=DID, inputs=[Previous(**arguments)])], [{}], [{"id": DID}])
        owner, _, name = call.partition(".")
        if call == "Agreements.require_agreeable":
            quote = await self.made("Agreements").check(DID)
            arguments = {"quote": quote} | arguments
            arguments["quote"] = arguments["quote"] or quote.model_copy(update={"allowed": False})
        method = getattr(self.made(owner), name)
        if call == "Client.gateway_at":
            return method(**arguments).url
        if call in {"Assets.search", "Assets.facets"}:
            arguments = {"text": arguments.get("text", "")} | arguments.get("filters", {})
        if inspect.isasyncgenfunction(method):
            return [one async for one in method(**arguments)]
        return await method(**arguments)

    def _connected(self, arguments: dict[str, Any]) -> str:
        def open_signer(settings: Any, account: str, password: Callable[[str], str]) -> Any:
            self.trace.append(f"signer({account}, {settings.home}, {arguments.get('password') and password(account)})")
            return SimpleNamespace(address=account)

        self.patch.setattr(connecting, "open_signer", open_signer)
        self.patch.setattr(connecting, "open_chain", lambda settings: self.trace.append(f"chain({settings.home})"))
        self.patch.setattr(client_module, "MetadataClient", lambda http, url: None)
        options: dict[str, Any] = dict.fromkeys(inspect.signature(insitu.connect).parameters) | arguments
        client = connecting._maker(
            *(options[one] for one in ("url", "account", "password", "home", "signer", "settings"))
        )()
        return f"{client.account} at {client.gateway.url}"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """The neighbours, in a folder with a script."""
    monkeypatch.chdir(tmp_path)
    for name in ("INSITU_URL", "INSITU_HOME", "INSITU_ACCOUNT", "INSITU_KEY_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "kept").write_text("kept")
    for name in ("count.py", "sum.py"):
        (tmp_path / name).write_text("print(1)\n")
    return World(monkeypatch, tmp_path)


ROWS = [(call, name) for call, rows in CHANGES.items() for name in words(rows)]


@pytest.mark.parametrize(("call", "name"), ROWS, ids=str)
async def test_each_changes_what_the_table_says(call: str, name: str, world: World) -> None:
    without, with_it = given(call, name)
    if name == "settings":
        with_it[name] = read_settings({}, home=world.folder / "folder")
    first, second = await world.called(call, without), await world.called(call, with_it)
    assert first == await world.called(call, without), "without a change the same is asked"
    if (call, name) == ("Execution.wait", "seconds"):
        with anyio.fail_after(5):
            await world.called(call, {"seconds": 0.0})
        return
    assert first != second, "with the parameter the same was asked, and the same came of it"


REFUSALS = [
    pytest.param(call, rule.given, name, id=f"{call} {name} beside {rule.given}")
    for call, rules in REFUSED.items()
    for rule in rules
    for name in rule.useless.split()
]


@pytest.mark.parametrize(("call", "beside", "name"), REFUSALS)
async def test_what_would_change_nothing_is_refused_before_anything_is_asked(
    call: str, beside: str, name: str, world: World
) -> None:
    states = {"published": {"algorithm": DID}, "any": {"algorithms": "any"}}
    settings = read_settings({}, home=world.folder)
    other = states.get(beside) or {beside: settings if beside == "settings" else VALUES[beside][1]}
    arguments = GIVEN.get(call, {}) | other | {name: VALUES.get(name, ("", "seven"))[1]}
    asked, ended = await world.called(call, arguments)
    assert ended.startswith("ArgumentWithoutEffect"), ended
    assert name in ended
    assert not asked


async def test_a_container_may_be_named_and_a_wrong_name_is_refused(world: World) -> None:
    [service] = [one for one in dataset()["service"] if one["type"] == "compute"]
    offered = service["attributes"]["main"]["provider"]["environment"]["supportedContainers"][0]
    described = await world.made("Assets").describe_workflow(
        [Stage(algorithm=DID, inputs=[DID], container=f"{offered['image']}:{offered['tag']}")]
    )
    assert described["stages"][0]["requirements"]["container"]["checksum"] == offered["checksum"]
    for wrong, code in (("nonsense", "ImageNotAllowed"), (7, "InvalidRequest")):
        stage = Stage(algorithm=DID, inputs=[DID], container=wrong)  # type: ignore[arg-type]
        with pytest.raises(InsituError) as refused:
            await world.made("Assets").describe_workflow([stage])
        assert refused.value.code == code
