"""``insitu demo``: publish, buy, compute and settle on real data, on this machine, and check every step."""

import json
import logging
import os
import signal
import socket
import webbrowser
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import click

from insitu.cli.options import placed
from insitu.cli.session import Session, pass_session
from insitu.domain.errors import InsituError
from insitu.domain.readable import size

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from insitu.cli.demo.narrator import Narrator
    from insitu.cli.demo.story import People, Story
    from insitu.sdk.client import Client
    from insitu.settings.sections import Settings
    from insitu.stack.provider import Services

IMAGE, TAG = "insitu/pandas", "3.11"
PACKAGES = ("pandas", "matplotlib")
DEMOS = 9
"""How many demos can run at the same time, each in its own folder."""
SERVER = {
    "server_id": "demo",
    "server_type": "one core",
    "price": str(2 * 10**18),
    "cpu": 1,
    "memory": 1_500_000_000,
    "disk": 500_000_000,
    "max_execution_time": 600,
}


@click.command()
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-output"),
    show_default=True,
    help="Where the result, the receipt and the report go.",
)
@click.option("--open", "show", is_flag=True, help="Open the report in a browser.")
@click.option("--stay", is_flag=True, help="Keep the provider running at the end, to look at its pages.")
@click.option("--clean", is_flag=True, help="Delete what earlier demos kept for the next one, and do nothing else.")
@placed
@pass_session
def demo(session: Session, output: Path, show: bool, stay: bool, clean: bool) -> None:
    """Watch everything happen on real data.

    Two owners publish 336,776 flights and a year of weather. A data scientist buys a computation on both, runs two
    algorithms next to the data, and gets a table and a picture. The owners are paid against a signed receipt. Every
    step is checked; exit code 0 means that all checks passed.
    """
    from insitu.cli.demo.narrator import Narrator, called

    if clean:
        _clean(session)
        return
    narrator = Narrator()
    output.mkdir(parents=True, exist_ok=True)
    story = session.wait_for(_play, session, narrator, output.absolute(), stay)
    if not stay:
        _report(story, narrator)
        click.echo(f"to look at all of it on pages: {called()} demo --stay")
    if show:
        webbrowser.open((output.absolute() / "report.html").as_uri())


def _report(story: "Story", narrator: "Narrator") -> None:
    from insitu.cli.demo.narrator import called
    from insitu.cli.demo.report import write_report

    report = write_report(story)
    click.echo()
    click.secho(f"{len(narrator.checks)} checks passed in {narrator.seconds:.1f} s", bold=True)
    click.echo(f"report: {report}")
    home = story.flights.path.parents[2]
    kept = f"kept {size(_bytes_below(home))} in {home} for the next demo"
    click.echo(f"{kept}; delete it with: {called()} demo --clean")


def _clean(session: Session) -> None:
    """Delete the folders of all demos; keep one where a demo is still running, which is not an error."""
    from insitu.settings.reading import read_settings
    from insitu.stack.cleaning import clean_folder
    from insitu.stack.locking import folder_lock

    async def delete(home: Path) -> None:
        async with folder_lock(home / "demo.lock"):
            await clean_folder(read_settings({}, {}, home), "data", "demo.log", "port", "demo.lock")

    for home in filter(Path.exists, _homes(session)):
        held = _bytes_below(home)
        try:
            session.wait_for(delete, home)
        except InsituError as error:
            if error.code != "AlreadyRunning":
                raise
            click.echo(f"kept {home}: {error.detail}")
        else:
            click.echo(f"deleted {size(held)} in {home}")


def _bytes_below(folder: Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))


def _homes(session: Session) -> list[Path]:
    """Return the data folders that demos may use, the usual one first; only one if --home names it."""
    from insitu.settings.reading import default_home

    if session.choices.home:
        return [session.choices.home]
    usual = default_home(os.environ).with_name("insitu-demo")
    return [usual, *(usual.with_name(f"{usual.name}-{number}") for number in range(2, DEMOS + 1))]


async def _play(session: Session, narrator: "Narrator", output: Path, stay: bool) -> "Story":
    """Play the story to its end, and with ``stay`` keep the provider until Ctrl-C.

    Ctrl-C stops the people first, then the provider that they talk to.
    """
    played: list[Story] = []
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with AsyncExitStack() as held, anyio.create_task_group() as tasks:

            async def stop_on_signal() -> None:
                async for _ in signals:
                    tasks.cancel_scope.cancel()

            tasks.start_soon(stop_on_signal)
            settings = _settings(session, await _hold_home(session, held))
            played.append(await _perform(settings, narrator, output, tasks))
            if stay:
                _report(played[0], narrator)
                click.secho(f"open {settings.public_url}/   (Ctrl-C ends the provider)", bold=True)
                await anyio.sleep_forever()
            tasks.cancel_scope.cancel()
    if not played:
        raise click.Abort
    return played[0]


async def _hold_home(session: Session, held: AsyncExitStack) -> Path:
    """Take a data folder that no other demo is using: the usual one, or another beside it.

    Raises ``AlreadyRunning`` if every folder, or the one that --home names, is in use.
    """
    from insitu.stack.locking import folder_lock

    *others, last = _homes(session)
    for home in others:
        try:
            await held.enter_async_context(folder_lock(home / "demo.lock"))
        except InsituError as error:
            if error.code != "AlreadyRunning":
                raise
        else:
            return home
    await held.enter_async_context(folder_lock(last / "demo.lock"))
    return last


async def _perform(settings: "Settings", narrator: "Narrator", output: Path, tasks: "TaskGroup") -> "Story":
    from insitu.cli.demo.data import prepare
    from insitu.cli.demo.story import Story
    from insitu.cli.views import runtime_line
    from insitu.stack.serving import serve
    from insitu.stack.share import share_of

    narrator.chapter("A provider starts on this machine")
    flights, weather = await anyio.to_thread.run_sync(prepare, settings.home / "data")
    log = settings.home / "demo.log"
    logging.basicConfig(filename=log, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    await _build_image(settings, narrator)
    started = anyio.Event()
    running: list[Services] = []

    def ready(services: "Services") -> None:
        running.append(services)
        started.set()

    tasks.start_soon(partial(serve, share_of(settings), ready=ready))
    await started.wait()
    url = running[0].public_url
    for line in running[0].announcements:
        narrator.say(line)
    narrator.say(f"gateway and catalogue at {url}, log in {log}")
    executing = running[0].executing
    assert executing is not None, "the demo starts every actor"
    narrator.say("running a container to prove that algorithms are sealed")
    narrator.say(runtime_line(await executing.proof()))
    async with AsyncExitStack() as clients:
        people = await _connect_people(settings, url, clients)
        story = Story(people, narrator, output, flights, weather)
        await story.tell()
    return story


def _settings(session: Session, home: Path) -> "Settings":
    """Return settings for a separate provider, whatever else runs here: its own folder, free ports, both owners."""
    from insitu.settings.reading import read_settings

    flags = {
        "server.port": str(_port(home / "port")),
        "chain.embedded_port": "0",
        "gateway.data_roots": str(home / "data"),
        "gateway.servers": json.dumps([SERVER]),
        **dict(session.choices.flags),
    }
    return read_settings(os.environ, flags, home)


def _port(file: Path) -> int:
    """Return the port of the first start, so that what was published then still resolves; another if it is taken."""
    with suppress(OSError, ValueError), socket.socket() as trial:
        wanted = int(file.read_text())
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind(("127.0.0.1", wanted))
        return wanted
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{found}\n")
    return found


async def _build_image(settings: "Settings", narrator: "Narrator") -> None:
    """Build the container image from this machine's Python; the second start finds the same one already there."""
    from insitu.stack.parts import open_images

    began = narrator.seconds
    image = await open_images(settings).build_from_host(PACKAGES, IMAGE, TAG)
    took = narrator.seconds - began
    narrator.say(f"image {IMAGE}:{TAG}, {size(image.size_bytes)}: this machine's Python with {' and '.join(PACKAGES)}")
    narrator.say(f"    {image.digest}  ({took:.1f} s, no registry needed)")


async def _connect_people(settings: "Settings", url: str, clients: AsyncExitStack) -> "People":
    from insitu.cli.demo.story import People
    from insitu.stack.client import connect_async

    async def person(account: str) -> "Client":
        return await clients.enter_async_context(await connect_async(url, account=account, settings=settings))

    return People(
        airline=await person("owner"), weather=await person("second-owner"), scientist=await person("consumer")
    )
