"""The servers: all actors in one process, or some of them."""

import json
import logging
import os
import signal
from typing import TYPE_CHECKING

import anyio
import click

from insitu.cli.options import local
from insitu.cli.session import Session, pass_session
from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from anyio import CancelScope

    from insitu.ports.peers import OperatorPeer
    from insitu.stack.peers import Actor
    from insitu.stack.provider import Services
    from insitu.stack.share import Share

_LOG_FORMAT = "%(asctime)s %(levelname).1s %(name)s %(message)s"


@click.command()
@click.option(
    "--data",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, resolve_path=True),
    help="Folder whose files may be published (gateway.data_roots).",
)
@click.option("--verbose", "-v", is_flag=True, help="Log more.")
@local
@pass_session
def up(session: Session, data: tuple[str, ...], *, verbose: bool) -> None:
    """Run all services of a provider on this machine.

    First prints what is embedded and where it is; after that, standard error is a log. SIGTERM and Ctrl-C stop it
    cleanly: whatever is running is tried again at the next start.

        insitu up --data /srv/data
        insitu up --data /srv/data --set server.port=9000
    """
    if data:
        session.choose(flags=(*session.choices.flags, ("gateway.data_roots", json.dumps(data))))
    from insitu.stack.marketplace import installed_actors

    actors = installed_actors()
    if "marketplace" not in actors:
        session.screen.note("no pages are served; for them: pip install './insitu-….whl[marketplace]'")
    _serve(session, actors, verbose=verbose)


@click.command()
@click.argument(
    "actors", nargs=-1, required=True, type=click.Choice(["metadata", "gateway", "operator", "marketplace"])
)
@click.option("--verbose", "-v", is_flag=True, help="Log more.")
@local
@pass_session
def serve(session: Session, actors: "tuple[Actor, ...]", *, verbose: bool) -> None:
    """Run some of the services in this process; set metadata.url, gateway.url and operator.url for the others.

    The operator must never be reachable from outside. The marketplace alone needs no data folder, key or chain: it
    shows any catalogue.
    """
    _serve(session, actors, verbose=verbose)


def _serve(session: Session, actors: "tuple[Actor, ...]", *, verbose: bool) -> None:
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, format=_LOG_FORMAT)
    for noisy in ("aiohttp", "asyncio", "httpcore", "httpx", "urllib3", "uvicorn", "web3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    from insitu.stack.separation import separate
    from insitu.stack.share import share_of

    share = separate(share_of(session.settings, frozenset(actors)))
    session.wait_for(_serve_until_stopped, session, share)
    if not share.neighbour or "gateway" in share.actors:
        session.screen.note("stopped")


async def _serve_until_stopped(session: Session, share: "Share") -> None:
    """Serve until SIGINT or SIGTERM; after that, open requests may finish."""
    from insitu.stack.serving import serve as serve_actors

    running = anyio.Event()

    def ready(services: "Services") -> None:
        running.set()
        _announce(session, services)
        if services.executing is not None:
            tasks.start_soon(_announce_runtime, session, services.executing)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_stop_on_signal, tasks.cancel_scope, running)
        await serve_actors(share, ready=ready)
        tasks.cancel_scope.cancel()


async def _announce_runtime(session: Session, executing: "OperatorPeer") -> None:
    """Say what algorithms run in as soon as it is proven, or why they cannot run."""
    from insitu.cli.render import plain
    from insitu.cli.views import runtime_line

    try:
        session.screen.note(f"  {runtime_line(await executing.proof())}")
    except InsituError as error:
        session.screen.note(f"  algorithms cannot run here, so nothing is sold: {plain(str(error))}\n  → insitu doctor")


async def _stop_on_signal(scope: "CancelScope", running: anyio.Event) -> None:
    """Cancel at the first signal while starting, at the second while serving: the first makes the server drain."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        draining = False
        async for _ in signals:
            if draining or not running.is_set():
                scope.cancel()
            draining = True


def _announce(session: Session, services: "Services") -> None:
    """Print what is served and what is embedded."""
    from insitu import __version__
    from insitu.stack.offers import development_accounts

    settings = services.settings
    accounts = development_accounts(settings) if services.service_key else {}
    if session.choices.as_json:
        session.screen.json(
            {
                "url": services.public_url,
                "home": str(settings.home),
                "pid": os.getpid(),
                "embedded": list(services.announcements),
                "accounts": accounts,
            }
        )
        return
    session.screen.line(f"insitu {__version__} serves {services.public_url}")
    session.screen.facts(
        [
            ("  open", services.public_url + "/" if services.marketplace is not None else ""),
            ("  data folder", str(settings.home) if services.service_key else ""),
            ("  embedded", "\n".join(services.announcements)),
            ("  accounts", "\n".join(f"{name.ljust(16)} {address}" for name, address in accounts.items())),
        ]
    )
