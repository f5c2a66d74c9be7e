"""What several commands show in the same way: amounts, quotes, agreements, executions."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from insitu.cli.render import ago, moment, plain
from insitu.domain.errors import InsituError
from insitu.domain.readable import duration, size

if TYPE_CHECKING:
    from insitu.api.gateway_v1 import ExecutionView, Quote, ReasonView, StageView
    from insitu.api.metadata_v1 import AssetStatus
    from insitu.domain.amount import Amount
    from insitu.domain.execution import Transition
    from insitu.ports.chain import TokenInfo
    from insitu.ports.runtime import Enforcement
    from insitu.sdk.agreements import Agreement

_COLOURS = {"Succeeded": "green", "Failed": "red", "Stopped": "yellow"}


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def amount(number: "int | Amount", token: "TokenInfo | None") -> str:
    """Return an amount for people, with the token's decimals: ``10 NVM``, ``free``; base units without a chain."""
    from insitu.domain.money import display_amount

    if not number:
        return "free"
    number = number if isinstance(number, int) else number.base_units
    return f"{number} base units" if token is None else display_amount(number, token.decimals, plain(token.symbol))


def state_line(status: "AssetStatus") -> str:
    """Return where an asset stands, and who finds it."""
    line = f"{status.state}, version {status.version}"
    if status.state == "unlisted":
        line += f": only a search for its owner finds it; to let strangers find it: insitu list {status.did}"
    if status.featured:
        line += f"; a curator of the catalogue features it: {plain(status.featured)}"
    return f"{line}; a curator of the catalogue hides it: {plain(status.reason)}" if status.reason else line


def base_units(text: str, token: "TokenInfo | None") -> int:
    """Return the amount that a person typed in tokens. Raises ``InvalidAmount``, ``ChainUnavailable``."""
    from insitu.domain.money import amount_of_display

    if token is None:
        raise InsituError("ChainUnavailable", f"only the chain knows how many base units {text[:40]} tokens are")
    return amount_of_display(text, token.decimals)


PAID_OUT = "not after the first success, even if an owner pauses the data"
"""When nothing comes back any more."""


def phase(name: str) -> str:
    """Return a phase in its colour, which a pipe drops."""
    return click.style(name, fg=_COLOURS.get(name), bold=name in _COLOURS)


def runtime_line(found: "Enforcement") -> str:
    """Say what algorithms run in, and which limits this machine cannot enforce."""
    free = ", ".join(sorted(name for name, by in found.limits.items() if by == "none"))
    unlimited = f"; this machine cannot limit: {plain(free)} (receipts say so)" if free else ""
    return f"algorithms run sealed in {plain(found.runtime)}{unlimited}"


def quote_facts(quote: "Quote", token: "TokenInfo", account: str, uses: str) -> list[tuple[str, str]]:
    """Return what a person has to know before paying; ``uses`` is what the owners allow the data to be used for."""
    server = {name: plain(str(value)) for name, value in quote.server.items()}
    paid = [
        f"{amount(receiver.amount, token)} to {receiver.address}  {plain(receiver.purpose)}".rstrip()
        for receiver in quote.receivers
    ]
    machine = ", ".join(f"{name} {server[name]}" for name in ("cpu", "memory", "disk") if server.get(name))
    limit = (
        f"at most {duration(int(server['maxExecutionTime']))}" if server.get("maxExecutionTime", "").isdigit() else ""
    )
    return [
        ("price", click.style(amount(quote.price, token), bold=True)),
        ("paid to", "\n".join(paid) if quote.price else ""),
        ("by", account),
        ("server", ", ".join(part for part in (server.get("serverId", ""), machine, limit) if part)),
        ("may be used", uses),
        ("unpaid", _free_compute(quote)),
        ("runs until", f"{duration(quote.timeout)} after the purchase, as often as the owner allows"),
        (
            "money back",
            f"if not granted within {duration(quote.grant_timeout)}, or never settled with a receipt\n{PAID_OUT}",
        ),
    ]


def _free_compute(quote: "Quote") -> str:
    """Say how much compute may still pay nothing today."""
    if (found := quote.free_compute) is None:
        return ""
    whose = "all accounts that have not paid this provider yet" if found.of == "strangers" else "this account"
    return f"{found.left} of {found.limit} seconds of free compute left today for {whose}"


def agreement_facts(agreement: "Agreement", token: "TokenInfo") -> list[tuple[str, str]]:
    """Return the state of an agreement."""
    present, state, terms = datetime.fromtimestamp(agreement.now, UTC), agreement.state, agreement.terms
    refundable = state.settlement_ends(terms) if state.granted else state.grant_ends(terms)
    open_money = state.locked and not state.refunded and not state.closed and state.settled < agreement.terms.total
    return [
        ("agreement", agreement.id),
        ("status", agreement.status),
        ("price", amount(agreement.price, token)),
        ("settled", amount(state.settled, token) if state.settled else ""),
        ("data set", agreement.did),
        ("workflow", agreement.workflow_did),
        ("runs until", moment(agreement.ends_at, present)),
        ("refundable", f"from {moment(datetime.fromtimestamp(refundable, UTC), present)}" if open_money else ""),
        ("transaction", agreement.transaction or ""),
    ]


def execution_facts(view: "ExecutionView", token: "TokenInfo") -> list[tuple[str, str]]:
    """Return where an execution stands, why, and what comes next."""
    shown = phase(view.phase.value)
    if view.position:
        shown += f", place {view.position} in the queue"
    return [
        ("execution", f"{view.workflow_execution_id}  (number {view.number})"),
        ("agreement", view.service_agreement_id),
        ("phase", shown),
        ("why", _reason(view.reason)),
        ("given up", _reason(view.alarm)),
        ("data set", _named(view, view.did)),
        ("workflow", _named(view, view.workflow_did)),
        ("started", ago(view.created_at, now())),
        ("result", view.result_did or ""),
        ("left out", left_out(view)),
        ("charge", "" if view.charge is None else _charge(view, token)),
        ("receipt", view.receipt_hash or ""),
    ]


def _named(view: "ExecutionView", did: str) -> str:
    return f"{did}  ({plain(view.names[did])})" if view.names.get(did) else did


def left_out(view: "ExecutionView") -> str:
    """Return what is missing from the result; empty if nothing is."""
    why = "their names begin with a dot, or log text had no room"
    return f"{view.left_out} files or folders: {why}" if view.left_out else ""


def _reason(reason: "ReasonView | None") -> str:
    return f"{reason.code}: {plain(reason.message)}\n→ {plain(reason.next_step)}" if reason else ""


def _charge(view: "ExecutionView", token: "TokenInfo") -> str:
    charge = amount(view.charge or 0, token) if view.charge else "nothing"
    if view.settled:
        return f"{charge}, settled in {view.settlement_transaction}"
    return f"{charge}, {'will never be settled' if view.alarm else 'not settled yet'}"


def history_lines(history: "tuple[Transition, ...]") -> list[str]:
    """Return the phases and how long each took."""
    found = []
    for transition, following in zip(history, (*history[1:], None), strict=True):
        took = duration((following.at - transition.at).total_seconds()) if following else ""
        stage = f" stage {transition.stage}" if transition.stage is not None else ""
        again = f", attempt {transition.attempt}" if (transition.attempt or 1) > 1 else ""
        found.append(f"{transition.at:%H:%M:%S}  {transition.phase.value}{stage}{again}  {took}".rstrip())
    return found


def stage_line(stage: "StageView") -> str:
    """Return how a stage went, and what it used."""
    usage = stage.usage
    used = [
        f"{usage.cpu_seconds:.1f} s of CPU" if usage.cpu_seconds is not None else "",
        f"{size(usage.peak_memory_bytes)} memory" if usage.peak_memory_bytes is not None else "",
        f"{size(usage.output_bytes)} output" if usage.output_bytes is not None else "",
        f"exit code {stage.exit_code}" if stage.exit_code else "",
    ]
    title = " ".join(part for part in (f"stage {stage.index}", plain(stage.stage_type)) if part)
    return ", ".join(part for part in (f"{title}: {stage.state} in {plain(stage.image)}", *used) if part)
