"""Each argument and option of each command changes what is requested, written or shown, or is refused: see the table.

A command is called twice, with and without the option, by people whose provider, chain, images and pods only write down
what they are asked for.
"""

from collections.abc import Iterator
from typing import Any

import click
import pytest

from insitu.cli.app import app
from insitu.cli.arguments import REFUSED
from insitu.cli.run_request import RunRequest
from insitu.domain import exit_codes
from tests.cli.conftest import ADDRESS, AGREEMENT, DID, EXECUTION, NEXT, OTHER, SECOND, Call
from tests.cli.what_options_change import CHANGES, COMMON

STATES = {"published", "workflow", "parameters"}
"""Names in the table that stand for what a command finds out."""


def leaves(command: click.Command = app, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, by the words that call it."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        nested = command.get_command(context, name)
        assert nested is not None
        yield from leaves(nested, (*path, name))


LEAVES = dict(leaves())


def words(listed: dict[str, str] | Any) -> set[str]:
    """Return the names of a row of the table."""
    return {name for names in listed.values() for name in names.split()}


@pytest.mark.parametrize("path", LEAVES)
def test_the_table_knows_every_argument_and_option(path: str) -> None:
    own = {str(one.name) for one in LEAVES[path].params} - words(COMMON)
    assert own == words(CHANGES.get(path, {})), "tests/cli/what_options_change.py says what each changes"


def test_the_table_knows_nothing_else() -> None:
    assert set(CHANGES) <= set(LEAVES)
    for path, rules in REFUSED.items():
        known = {str(one.name) for one in LEAVES[path].params} | STATES
        known |= {f"no_{name}" for name in known} | {f"no {name}" for name in known}
        for rule in rules:
            assert {rule.given, *rule.useless.split()} <= known, rule


# What to type for each option if any word of its type will not do: (without it, with it).
BASE: dict[str, list[str]] = {
    "search": [],
    "show": [DID],
    "check": ["count.py", "--on", DID],
    "run": ["count.py", "--on", DID, "--yes"],
    "buy": [DID, "--yes"],
    "status": [AGREEMENT, EXECUTION],
    "logs": [AGREEMENT, EXECUTION],
    "stop": [AGREEMENT, EXECUTION],
    "result": [AGREEMENT, EXECUTION],
    "receipt": [AGREEMENT, EXECUTION, "-o", "r.json"],
    "verify": ["receipt.json"],
    "release": [AGREEMENT, EXECUTION],
    "close": [AGREEMENT, "--yes"],
    "refund": [AGREEMENT],
    "validate": ["ddo.json"],
    "publish": ["table.csv", "--allow-any"],
    "update": [DID, "--yes"],
    "list": [DID],
    "unlist": [DID],
    "hide": [DID, "--reason", "spam"],
    "unhide": [DID],
    "feature": [DID, "--reason", "good"],
    "unfeature": [DID],
    "curated": ["hidden"],
    "pause": [DID],
    "resume": [DID],
    "transfer": [DID, ADDRESS, "--yes"],
    "serve": ["gateway"],
    "pod": ["configure", "step.json", "--workspace", "folder"],
    "image import": ["folder"],
    "image pull": ["host/name@sha256:1"],
    "image rm": ["one:1"],
    "chain deploy": ["--rpc", "http://127.0.0.1:9", "--yes", "--key-file", "key.json"],
    "chain accept-ownership": ["--yes", "--key-file", "key.json"],
    "chain fund": [ADDRESS, "--amount", "1", "--yes", "--key-file", "key.json"],
    "keys create": ["alice", "--password-file", "password"],
    "keys import": ["alice", "digits", "--password-file", "password"],
    "did resolve": [DID],
    "did verify": ["ddo.json"],
}
TYPED: dict[tuple[str, str], tuple[list[str], list[str]]] = {
    ("check", "what"): (["count.py", "--on", DID], ["sum.py", "--on", DID]),
    ("run", "words"): (["count.py", "--on", DID, "--yes"], ["sum.py", "--on", DID, "--yes"]),
    ("run", "agreement"): (["count.py", "--on", DID, "--yes"], ["--agreement", AGREEMENT]),
    ("run", "image"): (BASE["run"], [*BASE["run"], "--image", "python:3.11"]),
    ("run", "entrypoint"): (BASE["run"], [*BASE["run"], "--entrypoint", "python3 count.py"]),
    ("run", "max_price"): (BASE["run"], [*BASE["run"], "--max-price", "0.000000000000000001"]),
    ("run", "force"): ([*BASE["run"], "-o", "folder"], [*BASE["run"], "-o", "folder", "--force"]),
    ("run", "yes"): (["count.py", "--on", DID], ["count.py", "--on", DID, "--yes"]),
    ("buy", "max_price"): (BASE["buy"], [*BASE["buy"], "--max-price", "1"]),
    ("hide", "did"): ([DID, "--reason", "spam"], [OTHER, "--reason", "spam"]),
    ("hide", "reason"): ([DID, "--reason", "spam"], [DID, "--reason", "scam"]),
    ("curated", "what"): (["hidden"], ["featured"]),
    ("pause", "stop_running"): ([DID, "--now"], [DID, "--now", "--stop-running"]),
    ("close", "yes"): ([AGREEMENT], [AGREEMENT, "--yes"]),
    ("buy", "yes"): ([DID], [DID, "--yes"]),
    ("result", "force"): ([*BASE["result"], "-o", "folder"], [*BASE["result"], "-o", "folder", "--force"]),
    ("receipt", "output"): (BASE["status"], BASE["receipt"]),
    ("release", "source"): (BASE["status"], [AGREEMENT, NEXT]),
    ("verify", "file"): (["receipt.json"], ["ddo.json"]),
    ("verify", "opening"): (["receipt.json"], ["receipt.json", "--opening", "ddo.json"]),
    ("verify", "provider"): (["receipt.json"], ["receipt.json", "--provider", ADDRESS]),
    ("verify", "rpc"): (["receipt.json"], ["receipt.json", "--rpc", "http://127.0.0.1:9"]),
    ("validate", "file"): (["ddo.json"], ["receipt.json"]),
    ("validate", "without_compute"): (["plain.json"], ["plain.json", "--without-compute"]),
    ("publish", "files"): (BASE["publish"], ["count.py", "--allow-any"]),
    ("publish", "algorithm"): (["count.py", "--allow-any"], ["count.py", "--algorithm"]),
    ("publish", "document"): (BASE["publish"], ["--document", "ddo.json"]),
    ("publish", "allow_any"): (["table.csv", "--allow", DID], ["table.csv", "--allow-any"]),
    ("publish", "allowed"): (BASE["publish"], ["table.csv", "--allow", DID]),
    ("publish", "publishers"): (BASE["publish"], ["table.csv", "--allow-publisher", ADDRESS]),
    ("publish", "images"): (BASE["publish"], [*BASE["publish"], "--image", "python:3.11"]),
    ("publish", "timeout"): (BASE["publish"], [*BASE["publish"], "--timeout", "7h"]),
    ("publish", "max_output"): (BASE["publish"], [*BASE["publish"], "--max-output", "7kb"]),
    ("publish", "types"): (BASE["publish"], [*BASE["publish"], "--output-type", ".csv"]),
    ("publish", "max_log"): (BASE["publish"], [*BASE["publish"], "--max-log", "7kb"]),
    ("publish", "logs"): (BASE["publish"], [*BASE["publish"], "--logs", "none"]),
    ("publish", "entrypoint"): (
        ["count.py", "--algorithm"],
        ["count.py", "--algorithm", "--entrypoint", "sh count.py"],
    ),
    ("publish", "without_compute"): (["--document", "ddo.json"], ["--document", "ddo.json", "--without-compute"]),
    ("update", "files"): (BASE["update"], [DID, "table.csv", "--yes"]),
    ("update", "source"): (BASE["update"], [*BASE["update"], "--from", "ddo.json"]),
    ("update", "allow_any"): ([*BASE["update"], "--allow", DID], [*BASE["update"], "--allow-any"]),
    ("update", "allowed"): (BASE["update"], [*BASE["update"], "--allow", DID]),
    ("update", "publishers"): (BASE["update"], [*BASE["update"], "--allow-publisher", ADDRESS]),
    ("update", "images"): (BASE["update"], [*BASE["update"], "--image", "python:3.11"]),
    ("update", "timeout"): (BASE["update"], [*BASE["update"], "--timeout", "7h"]),
    ("update", "max_output"): (BASE["update"], [*BASE["update"], "--max-output", "7kb"]),
    ("update", "max_log"): (BASE["update"], [*BASE["update"], "--max-log", "7kb"]),
    ("update", "types"): (BASE["update"], [*BASE["update"], "--output-type", ".csv"]),
    ("update", "yes"): ([DID], BASE["update"]),
    ("transfer", "recipient"): (BASE["transfer"], [DID, "0x" + "34" * 20, "--yes"]),
    ("transfer", "yes"): ([DID, ADDRESS], BASE["transfer"]),
    ("up", "data"): ([], ["--data", "folder"]),
    ("serve", "actors"): (["gateway"], ["gateway", "metadata"]),
    ("pod", "kind"): (BASE["pod"], ["publish", "step.json", "--workspace", "folder"]),
    ("pod", "step"): (BASE["pod"], ["configure", "other.json", "--workspace", "folder"]),
    ("pod", "workspace"): (BASE["pod"], ["configure", "step.json", "--workspace", "empty"]),
    ("pod", "ticket"): (BASE["pod"], [*BASE["pod"], "--ticket", "password"]),
    ("pod", "result"): (BASE["pod"], [*BASE["pod"], "--result", "status.json"]),
    ("image import", "path"): (["folder"], ["empty"]),
    ("image rm", "references"): (["one:1"], ["two:1"]),
    ("image verify", "references"): ([], ["one:1"]),
    ("chain deploy", "rpc"): (["--yes"], BASE["chain deploy"]),
    ("chain deploy", "yes"): (BASE["chain deploy"][:2] + BASE["chain deploy"][3:], BASE["chain deploy"]),
    ("chain deploy", "account"): (BASE["chain deploy"][:3], [*BASE["chain deploy"][:3], "--account", "owner"]),
    ("chain deploy", "key_file"): (BASE["chain deploy"][:3], BASE["chain deploy"]),
    ("chain accept-ownership", "yes"): (["--key-file", "key.json"], BASE["chain accept-ownership"]),
    ("chain accept-ownership", "account"): (["--yes"], ["--yes", "--account", "owner"]),
    ("chain accept-ownership", "key_file"): (["--yes"], BASE["chain accept-ownership"]),
    ("chain fund", "accounts"): (BASE["chain fund"], ["0x" + "34" * 20, *BASE["chain fund"][1:]]),
    ("chain fund", "amount"): (BASE["chain fund"], [ADDRESS, "--amount", "2", *BASE["chain fund"][3:]]),
    ("chain fund", "yes"): ([*BASE["chain fund"][:3], "--key-file", "key.json"], BASE["chain fund"]),
    ("chain fund", "account"): (BASE["chain fund"][:4], [*BASE["chain fund"][:4], "--account", "owner"]),
    ("chain fund", "key_file"): (BASE["chain fund"][:4], BASE["chain fund"]),
    ("image build", "python"): ([], ["--python", "key.json"]),
    ("image build", "java"): ([], ["--java", "empty"]),
    ("pod", "consoles"): (BASE["pod"], [*BASE["pod"], "--consoles", "consoles"]),
    ("did verify", "url"): ([DID], [DID, "--url", "http://127.0.0.1:7"]),
    ("did verify", "account"): ([DID], [DID, "--account", "owner"]),
    ("doctor", "account"): (["--role", "consumer"], ["--role", "consumer", "--account", "owner"]),
    ("doctor", "role"): ([], ["--role", "consumer"]),
    ("demo", "home"): ([], ["--home", "spoiled"]),
    ("demo", "output"): ([], ["--output", "shown"]),
    ("keys import", "file"): (BASE["keys import"], ["alice", "other-digits", "--password-file", "password"]),
    ("keys create", "password_file"): (["alice"], BASE["keys create"]),
    ("keys import", "password_file"): (["alice", "digits"], BASE["keys import"]),
    ("did verify", "document"): (["ddo.json"], ["plain.json"]),
}


def sample(parameter: click.Parameter) -> list[str]:
    """Return words that give a parameter a value of its type which is not its default."""
    spelt = [parameter.opts[0]] if isinstance(parameter, click.Option) else []
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return spelt
    if isinstance(parameter.type, click.Choice):
        return [*spelt, next(choice for choice in parameter.type.choices if choice != parameter.default)]
    if isinstance(parameter.type, click.IntRange | click.types.IntParamType):
        return [*spelt, "7"]
    known = {"price": "7", "max_price": "7", "account": "owner"}
    known |= {"url": "http://127.0.0.1:7", "ids": "", "owner": ADDRESS, "token": ADDRESS}
    known |= {"agreement": SECOND, "did": OTHER, "workflow": OTHER, "data": OTHER, "password_file": "password"}
    if parameter.name == "output" or isinstance(parameter.type, click.Path):
        return [*spelt, "folder"]
    return [*spelt, known.get(str(parameter.name), "seven")]


def typed(path: str, parameter: click.Parameter) -> tuple[list[str], list[str]]:
    """Return the words behind a command without and with a parameter."""
    name, base = str(parameter.name), BASE.get(path, [])
    if name in {"home", "flags"}:
        base = {"verify": ["receipt.json", "--on-chain"], "did verify": [DID]}.get(path, base)
        return base, [*base, *(["--home", "spoiled"] if name == "home" else ["--set", "no.such=setting"])]
    if (path, name) in TYPED:
        return TYPED[path, name]
    if name == "ids":
        return base, [SECOND, NEXT, *base[2:]]
    if isinstance(parameter, click.Argument) and base:
        return base, [*sample(parameter), *base[1:]]
    return base, [*base, *sample(parameter)]


ROWS = [
    pytest.param(path, parameter, id=f"{path} {parameter.name}")
    for path, command in LEAVES.items()
    for parameter in command.params
]


@pytest.mark.parametrize(("path", "parameter"), ROWS)
def test_each_changes_what_the_table_says(
    path: str, parameter: click.Parameter, trace: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    without, with_it = typed(path, parameter)
    rows = dict(COMMON) | {
        aspect: f"{COMMON.get(aspect, '')} {names}" for aspect, names in CHANGES.get(path, {}).items()
    }
    [aspect] = [aspect for aspect, names in rows.items() if parameter.name in names.split()]
    first, second = Call(trace, capsys, *path.split(), *without), Call(trace, capsys, *path.split(), *with_it)
    assert "No such option" not in second.shown
    if parameter.name in {"home", "flags"}:
        assert "SettingsInvalid" in second.shown or path == "validate", "the settings of this call are read"
        return
    if parameter.name == "as_json":
        broken = Call(trace, capsys, *path.split(), *with_it, "--set", "no.such=setting")
        assert first.shown != second.shown or first.shown.startswith(("{", "[")) or '"code"' in broken.shown
        return
    assert second.code != exit_codes.USAGE or parameter.name in {"yes", "file"}, second.shown
    changed = {
        "request": (first.asked, first.written) != (second.asked, second.written),
        "file": (first.asked, first.written) != (second.asked, second.written),
        "waiting": (first.asked, first.shown) != (second.asked, second.shown),
        "screen": (first.asked, first.shown) != (second.asked, second.shown),
    }
    assert changed[aspect], second.shown


@pytest.mark.parametrize("path", sorted(set(LEAVES) - {"pod", "demo"}))
def test_the_same_call_asks_shows_and_writes_the_same(
    path: str, trace: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise a difference would mean nothing. The output of pod and demo contains a time."""
    first, second = (Call(trace, capsys, *path.split(), *BASE.get(path, [])) for _ in range(2))
    assert (first.asked, first.shown, first.written) == (second.asked, second.shown, second.written)


REFUSALS = [
    pytest.param(path, rule.given, name, rule.because, id=f"{path} {name} beside {rule.given}")
    for path, rules in REFUSED.items()
    for rule in rules
    for name in rule.useless.split()
    if not {rule.given, name} & STATES
]


@pytest.mark.parametrize(("path", "given", "name", "because"), REFUSALS)
def test_what_would_change_nothing_is_refused(
    path: str, given: str, name: str, because: str, trace: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    known = {str(one.name): one for one in LEAVES[path].params}
    typed_first = [] if given.startswith("no ") else _words(known, given)
    needed = {
        "buy": [DID],
        "show": [DID],
        "update": [DID],
        "pause": [DID],
        "result": [AGREEMENT],
        "chain fund": [ADDRESS, "--amount", "1"],
    }.get(path, [])
    call = Call(trace, capsys, *path.split(), *needed, *typed_first, *_words(known, name))
    assert call.code == exit_codes.USAGE
    assert "has no effect here" in call.shown
    assert because.split(":", maxsplit=1)[0].split(";", maxsplit=1)[0] in call.shown
    assert not call.asked


def _words(known: dict[str, click.Parameter], name: str) -> list[str]:
    if name.startswith("no_") and name not in known:
        return [known[name.removeprefix("no_")].secondary_opts[0]]
    parameter = known[name]
    specific = {"files": ["table.csv"], "words": ["count.py"], "timeout": ["--timeout", "7h"], "accounts": [ADDRESS],
                "document": ["--document", "ddo.json"], "key_file": ["--key-file", "key.json"]}  # fmt: skip
    return specific.get(name) or sample(parameter)


@pytest.mark.parametrize(
    ("found", "options"),
    [
        ("published", {"entrypoint": "sh x"}),
        ("workflow", {"data": (DID,)}),
        ("workflow", {"parameters": {"ward": "C"}}),
        ("workflow", {"image": "python:3.11"}),
        ("workflow", {"entrypoint": "sh x"}),
        ("workflow", {"server": "large"}),
    ],
)
def test_what_a_did_stands_for_decides_what_may_be_said_beside_it(found: str, options: dict[str, Any]) -> None:
    order = RunRequest(**({"what": DID, "data": (), "agreement": None} | options))
    with pytest.raises(click.UsageError, match="has no effect here"):
        order.refuse_beside(found)
    RunRequest(what=DID, data=(), agreement=None).refuse_beside(found)
