"""The doctor: checks everything that a provider or consumer needs, and says how to fix whatever is wrong."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import click

from insitu.cli.findings import (
    as_json,
    check_disk,
    check_extra,
    check_kernel,
    check_port,
    check_python,
    show,
)
from insitu.cli.options import connected
from insitu.cli.session import Session, pass_session
from insitu.cli.views import amount
from insitu.domain.errors import InsituError
from insitu.domain.finding import Finding, State
from insitu.domain.timestamps import format_time

if TYPE_CHECKING:
    from insitu.api.gateway_v1 import GatewayInfo
    from insitu.domain.ddo import Ddo


@click.command()
@click.option(
    "--role",
    type=click.Choice(["provider", "consumer"]),
    default="provider",
    show_default=True,
    help="What you want to use this machine for.",
)
@connected
@pass_session
def doctor(session: Session, role: str) -> int:
    """Check this machine and say how to fix what is wrong.

    Checks Python, the kernel, the container runtime (with a real sealed container), limits, disk, PostgreSQL and object
    stores if they are used, ports, the chain, contracts, the gateway, images and keys; where executions run on a
    cluster, also the cluster, its namespace and our rights in it. The exit code is 1 if something that the role needs
    is missing.
    """
    found = []
    for finding in examine(session, role):
        found.append(finding)
        if not session.choices.as_json:
            show(session.screen, finding)
    failed = [finding for finding in found if finding.state == "failed"]
    if session.choices.as_json:
        parts = [as_json(finding) for finding in found]
        session.screen.json({"role": role, "ready": not failed, "findings": parts})
    elif failed:
        session.screen.line(f"not ready: {', '.join(finding.part for finding in failed)}")
    else:
        session.screen.line(f"ready to be a {role}")
    return 1 if failed else 0


_TAKE_DEPLOYMENTS = "copy the provider's deployments file there; on the provider's machine, run insitu up"


def examine(session: Session, role: str) -> Iterator[Finding]:
    """Yield the findings part by part, the cheap ones first."""
    is_provider = role == "provider"
    yield check_python()
    settings = session.settings
    gateway = _ask_gateway(session)
    if is_provider:
        yield check_extra("provider", required=True)
        yield check_disk(settings.home)
        yield from _databases(session)
        yield from _buckets(session)
        yield from _catch("given up", _given_up(session))
        if settings.operator.runtime == "kubernetes":
            yield check_extra("cluster", required=True)
            yield from _catch("cluster", _cluster(session))
        else:
            yield check_kernel()
            yield from _catch("runtime", _runtime(session))
        yield from _chain_program(session)
        if gateway is None:
            yield check_port("HTTP", settings.server.host, settings.server.port)
            if settings.chain.embedded:
                yield check_port("embedded chain", "127.0.0.1", settings.chain.embedded_port)
    yield _gateway_finding(session, gateway, required=not is_provider)
    yield from _contracts(session, required=not is_provider)
    if is_provider and settings.operator.runtime == "oci":
        yield _images(session)
    yield _keys(session)
    if is_provider and gateway is not None:
        yield from _budgets(session)
        yield from _catch("policies", _policies(session))
    if not is_provider:
        yield from _catch("account", _account(session))


def _attempt(session: Session, asynchronous: Callable[[], Awaitable[str]], part: str) -> Finding:
    """Turn an answer, or an error, into a finding."""
    try:
        return Finding(part, "ok", session.wait_for(asynchronous))
    except InsituError as error:
        return Finding(part, "failed", error.detail, error.definition.next_step)


def _catch(part: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield findings; if an examination fails, the last finding is its error."""
    try:
        yield from findings
    except InsituError as error:
        yield Finding(part, "failed", error.detail, error.definition.next_step)


def _databases(session: Session) -> Iterator[Finding]:
    """Check the stores that are not files of the data folder: does the server answer, and is the schema ours?"""
    from insitu.stack.stores import describe_database, remote_stores

    actors = remote_stores(session.settings)
    if actors:
        yield check_extra("postgresql", required=True)
    for actor in actors:
        yield _attempt(session, partial(describe_database, session.settings, actor), f"{actor} store")


def _buckets(session: Session) -> Iterator[Finding]:
    """Try each object store: write, read, list, create once, delete."""
    from insitu.stack.objects import describe_bucket, remote_places

    places = remote_places(session.settings)
    if places:
        yield check_extra("object-store", required=True)
    for name, url in places.items():
        yield _attempt(session, partial(describe_bucket, session.settings, url), name)


def _given_up(session: Session) -> Iterator[Finding]:
    """Report money that the provider has earned but can never get, and results that can never be delivered."""
    from insitu.stack.examining import given_up

    for item in session.wait_for(given_up, session.settings):
        why = f"{item.reason.code}: {item.reason.message}" if item.reason is not None else "no reason is known"
        detail = f"{item.kind} of {item.execution_id}: {why}"
        yield Finding("given up", "warning", detail, f"insitu status {item.execution_id}")


def _runtime(session: Session) -> Iterator[Finding]:
    """Run a real sealed container, and report what enforces each limit."""
    from insitu.stack.examining import probe_runtime

    found = session.wait_for(probe_runtime, session.settings)
    for refusal in found.refusals:
        remedy = "apt-get install crun   (or runc)" if "not installed" in refusal else "see docs/how-to/provide.md"
        yield Finding("runtime", "failed", refusal, remedy)
    if not found.refusals:
        yield Finding("runtime", "ok", f"{found.runtime}, sealed: proven with a container")
    for limit, enforcement in sorted(found.limits.items()):
        if enforcement == "none":
            remedy = f"run as root, or let systemd delegate control groups; until then {limit} is not limited"
            yield Finding(f"limit {limit}", "warning", "not enforced", remedy)
        else:
            yield Finding(f"limit {limit}", "ok", f"enforced by {enforcement}")


def _cluster(session: Session) -> Iterator[Finding]:
    """Check the cluster that executions run on."""
    from insitu.stack.examining import examine_cluster

    yield from session.wait_for(examine_cluster, session.settings)


def _chain_program(session: Session) -> Iterator[Finding]:
    if not session.settings.chain.embedded:
        return
    from insitu.stack.parts import chain_program

    try:
        yield Finding("anvil", "ok", str(chain_program()))
    except InsituError as error:
        yield Finding("anvil", "failed", error.detail, "install it, or set chain.rpc_url to your own node")


def _ask_gateway(session: Session) -> "GatewayInfo | None":
    from insitu.stack.parts import gateway_info

    try:
        return session.wait_for(gateway_info, session.url)
    except InsituError:
        return None  # _gateway_finding reports it


def _gateway_finding(session: Session, gateway: "GatewayInfo | None", *, required: bool) -> Finding:
    if gateway is None:
        state: State = "failed" if required else "skipped"
        return Finding(
            "gateway", state, f"nothing answers at {session.url}", "run insitu up, or name a provider with --url"
        )
    detail = f"{session.url}, version {gateway.version}, provider {gateway.provider_address}"
    return Finding("gateway", "ok", detail)


def _contracts(session: Session, *, required: bool) -> Iterator[Finding]:
    """Compare the contracts on chain with ours: code, wiring, approval, roles."""
    from insitu.stack.contracts import inspect_contracts

    settings = session.settings
    if not settings.deployments.exists():
        if required:
            yield Finding("contracts", "failed", f"no {settings.deployments}", _TAKE_DEPLOYMENTS)
        elif settings.chain.embedded:
            yield Finding("contracts", "skipped", "not deployed yet", "insitu up deploys them")
        else:
            yield Finding("contracts", "failed", f"no {settings.deployments}", "insitu chain deploy")
        return
    try:
        addresses, inspected = session.wait_for(inspect_contracts, settings)
    except InsituError as error:
        if error.code == "ChainUnavailable" and settings.chain.embedded and not required:
            yield Finding("contracts", "skipped", "the embedded chain is not running", "insitu up")
        else:
            yield Finding("contracts", "failed", error.detail, error.definition.next_step)
        return
    wrong = [finding for finding in inspected if finding.state != "ok"]
    yield from wrong
    if not any(finding.state == "failed" for finding in wrong):
        detail = f"{addresses['ServiceExecutionTemplate']}: code, wiring, approval and roles are correct"
        yield Finding("contracts", "ok", detail)


def _images(session: Session) -> Finding:
    images = session.wait_for(session.images.list)
    if not images:
        return Finding("images", "warning", "none: nothing can run yet", "insitu image build")
    return Finding("images", "ok", ", ".join(f"{image.name}:{image.tag}" for image in images))


def _keys(session: Session) -> Finding:
    keys = session.keystore.list()
    exposed = [key.name for key in keys if key.path.stat().st_mode & 0o077]
    if exposed:
        remedy = f"chmod 600 {session.settings.folder.keys}/*.json"
        return Finding("keys", "failed", f"others can read: {', '.join(exposed)}", remedy)
    if not keys:
        return Finding("keys", "skipped", "none in the data folder", "insitu keys create NAME")
    return Finding("keys", "ok", ", ".join(f"{key.name} {key.address}" for key in keys))


def _budgets(session: Session) -> Iterator[Finding]:
    """Say which budget of the running gateway is low or used up, and what then is refused."""
    from insitu.stack.parts import gateway_budgets

    words = {"relayedGas": "gas for sending", "freeGas": "gas for free runs", "freeCompute": "computing without pay"}
    try:
        budgets = session.wait_for(gateway_budgets, session.url).budgets
    except InsituError as error:  # an earlier release, or a node that does not answer; that is another part's finding
        yield Finding("budgets", "skipped", error.detail)
        return
    for budget in budgets:
        if budget.stands != "enough":
            until = f" until {format_time(budget.until)}" if budget.until is not None else ""
            state = f"is used up{until}" if budget.stands == "usedUp" else "is low"
            yield Finding("budgets", "warning", f"{words[budget.of]} for new accounts {state}", budget.next_step)
    if all(budget.stands == "enough" for budget in budgets):
        yield Finding("budgets", "ok", "enough gas and machine time for new accounts")


def _policies(session: Session) -> Iterator[Finding]:
    """Warn the owners whose keys are here of data sets whose policies lack a limit."""
    from insitu.cli.leaving import describe_missing_budgets

    for ddo in session.wait_for(_own_data_sets, session):
        if missing := describe_missing_budgets(ddo):
            remedy = f"insitu update {ddo.id} with --max-output, --max-log, --max-files or --max-executions"
            yield Finding("policies", "warning", f"{ddo.id}: {missing}", remedy)


async def _own_data_sets(session: Session) -> "list[Ddo]":
    """Return the newest listed data sets of each key, at most 100."""
    from insitu.api.metadata_v1 import SearchRequest
    from insitu.domain.ddo import read_ddo
    from insitu.sdk.http import Http
    from insitu.sdk.metadata import MetadataClient

    async with Http(timeout=10.0) as http:
        catalogue = MetadataClient(http, session.metadata_url)
        wanted = [SearchRequest(type="dataset", owner=key.address, offset=100) for key in session.keystore.list()]
        return [read_ddo(document) for request in wanted for document in (await catalogue.search(request)).results]


def _account(session: Session) -> Iterator[Finding]:
    """Report which account would buy, and whether it can pay."""
    address = session.address
    yield Finding("account", "ok", address)
    yield from _catch("money", _money(session, address))


def _money(session: Session, address: str) -> Iterator[Finding]:
    from insitu.stack.parts import funds_of

    tokens, coin, token = session.wait_for(funds_of, session.settings, address)
    detail = f"{amount(tokens, token) if tokens else f'no {token.symbol}'}, {'coin' if coin else 'no coin'} for gas"
    if tokens and coin:
        yield Finding("money", "ok", detail)
    elif tokens:
        yield Finding(
            "money", "warning", detail, "to publish, give it coin; to buy, use a gateway that relays purchases"
        )
    else:
        state: State = "warning" if coin else "failed"
        yield Finding("money", state, detail, f"give {address} tokens, or use free services")
