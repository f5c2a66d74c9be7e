"""The doctor: looks at everything that has to be right, and says for each thing that is not what mends it."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import click

from insitu.cli.findings import (
    Finding,
    Verdict,
    as_json,
    check_disk,
    check_extra,
    check_kernel,
    check_port,
    check_python,
    finding_of,
    show,
)
from insitu.cli.options import connected
from insitu.cli.session import Session, pass_session
from insitu.cli.views import amount
from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from insitu.api.gateway_v1 import GatewayInfo

__all__ = ["doctor"]


@click.command()
@click.option(
    "--role",
    type=click.Choice(["provider", "consumer"]),
    default="provider",
    show_default=True,
    help="What this machine is to be used for.",
)
@connected
@pass_session
def doctor(session: Session, role: str) -> int:
    """Check this machine, and say how to mend what is missing.

    Looks at Python, kernel, container runtime (with a real sealed container), limits, disk, PostgreSQL and object
    stores where they are used, ports, chain, contracts, gateway, images and keys; where executions run on a cluster,
    at the cluster, its namespace and our rights there. The exit code is not 0 if something that the role requires is
    missing.
    """
    found = []
    for finding in examine(session, role):
        found.append(finding)
        if not session.choices.as_json:
            show(session.screen, finding)
    failed = [finding for finding in found if finding.verdict is Verdict.FAILED]
    if session.choices.as_json:
        parts = [as_json(finding) for finding in found]
        session.screen.json({"role": role, "ready": not failed, "findings": parts})
    elif failed:
        session.screen.line(f"not ready: {', '.join(one.part for one in failed)}")
    else:
        session.screen.line(f"ready to be a {role}")
    return 1 if failed else 0


_TAKE_DEPLOYMENTS = "put the provider's deployments file there; on the provider's machine: insitu up"


def examine(session: Session, role: str) -> Iterator[Finding]:
    """Yield what is found, one part after the other, the cheap ones first."""
    is_provider = role == "provider"
    yield check_python()
    settings = session.settings
    gateway = _gateway(session)
    if is_provider:
        yield check_extra("provider", required=True)
        yield check_disk(settings.home)
        yield from _databases(session)
        yield from _buckets(session)
        yield from _guarded("given up", _given_up(session))
        if settings.operator.runtime == "kubernetes":
            yield check_extra("cluster", required=True)
            yield from _guarded("cluster", _cluster(session))
        else:
            yield check_kernel()
            yield from _guarded("runtime", _runtime(session))
        yield from _chain_programme(session)
        if gateway is None:
            yield check_port("HTTP", settings.server.host, settings.server.port)
            if settings.chain.embedded:
                yield check_port("embedded chain", "127.0.0.1", settings.chain.embedded_port)
    yield _reached(session, gateway, required=not is_provider)
    yield from _contracts(session, required=not is_provider)
    if is_provider and settings.operator.runtime == "oci":
        yield _images(session)
    yield _keys(session)
    if not is_provider:
        yield from _guarded("account", _account(session))


def _attempt(session: Session, asynchronous: Callable[[], Awaitable[str]], part: str) -> Finding:
    """Make a finding of something that answers with a detail or raises."""
    try:
        return Finding(part, Verdict.OK, session.wait_for(asynchronous))
    except InsituError as error:
        return Finding(part, Verdict.FAILED, error.detail, error.definition.next_step)


def _guarded(part: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield findings; where looking fails, the error is the last one."""
    try:
        yield from findings
    except InsituError as error:
        yield Finding(part, Verdict.FAILED, error.detail, error.definition.next_step)


def _databases(session: Session) -> Iterator[Finding]:
    """Look at the stores that are not files of the data folder: does the server answer, is the schema ours."""
    from insitu.stack import describe_database, remote_stores

    actors = remote_stores(session.settings)
    if actors:
        yield check_extra("postgresql", required=True)
    for actor in actors:
        yield _attempt(session, partial(describe_database, session.settings, actor), f"{actor} store")


def _buckets(session: Session) -> Iterator[Finding]:
    """Try what lies in an object store: it writes, reads, lists, creates once, deletes."""
    from insitu.stack import describe_bucket, remote_places

    places = remote_places(session.settings)
    if places:
        yield check_extra("object-store", required=True)
    for name, url in places.items():
        yield _attempt(session, partial(describe_bucket, session.settings, url), name)


def _given_up(session: Session) -> Iterator[Finding]:
    """Tell of money that the provider has earned and can never get, and of results that can never be delivered."""
    from insitu.stack import given_up

    for one in session.wait_for(given_up, session.settings):
        why = f"{one.reason.code}: {one.reason.message}" if one.reason is not None else "no reason is known"
        detail = f"{one.kind} of {one.execution_id}: {why}"
        yield Finding("given up", Verdict.WARNING, detail, f"insitu status {one.execution_id}")


def _runtime(session: Session) -> Iterator[Finding]:
    """Run a sealed container for real, and tell which limit is enforced by what."""
    from insitu.stack import probe_runtime

    found = session.wait_for(probe_runtime, session.settings)
    for refusal in found.refusals:
        remedy = "apt-get install crun   (or runc)" if "not installed" in refusal else "see docs/how-to/provide.md"
        yield Finding("runtime", Verdict.FAILED, refusal, remedy)
    if not found.refusals:
        yield Finding("runtime", Verdict.OK, f"{found.runtime}, sealed: proved with a container")
    for limit, enforcement in sorted(found.limits.items()):
        if enforcement == "none":
            remedy = f"run as root, or let systemd delegate control groups; {limit} is not limited now"
            yield Finding(f"limit {limit}", Verdict.WARNING, "not enforced", remedy)
        else:
            yield Finding(f"limit {limit}", Verdict.OK, f"enforced by {enforcement}")


def _cluster(session: Session) -> Iterator[Finding]:
    """Look at the cluster that executions run on."""
    from insitu.stack import examine_cluster

    for check in session.wait_for(examine_cluster, session.settings):
        yield Finding(check.part, Verdict(check.state), check.detail, check.remedy)


def _chain_programme(session: Session) -> Iterator[Finding]:
    if not session.settings.chain.embedded:
        return
    from insitu.stack import chain_programme

    try:
        yield Finding("anvil", Verdict.OK, str(chain_programme()))
    except InsituError as error:
        yield Finding("anvil", Verdict.FAILED, error.detail, "install it, or set chain.rpc_url to a node of yours")


def _gateway(session: Session) -> "GatewayInfo | None":
    from insitu.stack import gateway_info

    try:
        return session.wait_for(gateway_info, session.url)
    except InsituError:
        return None  # the finding about the gateway says so


def _reached(session: Session, gateway: "GatewayInfo | None", *, required: bool) -> Finding:
    if gateway is None:
        verdict = Verdict.FAILED if required else Verdict.SKIPPED
        return Finding("gateway", verdict, f"nothing answers at {session.url}", "insitu up, or --url of a provider")
    detail = f"{session.url}, version {gateway.version}, provider {gateway.provider_address}"
    return Finding("gateway", Verdict.OK, detail)


def _contracts(session: Session, *, required: bool) -> Iterator[Finding]:
    """Compare the contracts on chain with ours: code, wiring, approval, roles."""
    from insitu.stack import inspect_contracts

    settings = session.settings
    if not settings.deployments.exists():
        if required:
            yield Finding("contracts", Verdict.FAILED, f"no {settings.deployments}", _TAKE_DEPLOYMENTS)
        elif settings.chain.embedded:
            yield Finding("contracts", Verdict.SKIPPED, "not deployed yet", "insitu up deploys them")
        else:
            yield Finding("contracts", Verdict.FAILED, f"no {settings.deployments}", "insitu chain deploy")
        return
    try:
        addresses, inspected = session.wait_for(inspect_contracts, settings)
    except InsituError as error:
        if error.code == "ChainUnavailable" and settings.chain.embedded and not required:
            yield Finding("contracts", Verdict.SKIPPED, "the embedded chain is not running", "insitu up")
        else:
            yield Finding("contracts", Verdict.FAILED, error.detail, error.definition.next_step)
        return
    wrong = [finding_of(one) for one in inspected if one.code]
    yield from wrong
    if not any(finding.verdict is Verdict.FAILED for finding in wrong):
        detail = f"{addresses['ServiceExecutionTemplate']}: code, wiring, approval and roles are right"
        yield Finding("contracts", Verdict.OK, detail)


def _images(session: Session) -> Finding:
    images = session.wait_for(session.images.list)
    if not images:
        return Finding("images", Verdict.WARNING, "none: nothing can run yet", "insitu image build")
    return Finding("images", Verdict.OK, ", ".join(f"{one.name}:{one.tag}" for one in images))


def _keys(session: Session) -> Finding:
    keys = session.keystore.list()
    exposed = [key.name for key in keys if key.path.stat().st_mode & 0o077]
    if exposed:
        remedy = f"chmod 600 {session.settings.folder.keys}/*.json"
        return Finding("keys", Verdict.FAILED, f"others can read: {', '.join(exposed)}", remedy)
    if not keys:
        return Finding("keys", Verdict.SKIPPED, "none in the data folder", "insitu keys create NAME")
    return Finding("keys", Verdict.OK, ", ".join(f"{key.name} {key.address}" for key in keys))


def _account(session: Session) -> Iterator[Finding]:
    """Say who would buy, and whether that account can pay for anything."""
    address = session.address
    yield Finding("account", Verdict.OK, address)
    yield from _guarded("money", _money(session, address))


def _money(session: Session, address: str) -> Iterator[Finding]:
    from insitu.stack import funds_of

    tokens, coin, token = session.wait_for(funds_of, session.settings, address)
    detail = f"{amount(tokens, token) if tokens else f'no {token.symbol}'}, {'coin' if coin else 'no coin'} for gas"
    if tokens and coin:
        yield Finding("money", Verdict.OK, detail)
    elif tokens:
        yield Finding("money", Verdict.WARNING, detail, "fund it for publishing; gateways that relay send purchases")
    else:
        verdict = Verdict.WARNING if coin else Verdict.FAILED
        yield Finding("money", verdict, detail, f"fund {address} with tokens, or use what is free")
