"""The options that describe an asset and its rules, for publishing it and for changing it later."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import click
from typing_extensions import override

Command = TypeVar("Command", bound=Callable[..., Any])

REVISIONS = ("none", "untilSuccess", "always")
RULES = ("consumers", "use", "logs", "revisions", "parameters", "failures", "data", "max_executions")
"""Options that the SDK has under the same names; without them it has its own defaults."""


class _Duration(click.ParamType[int]):
    """A length of time: ``3600``, ``90min``, ``12h``, ``30d``; its value is in seconds."""

    name = "duration"
    _UNITS: ClassVar = {"": 1, "s": 1, "min": 60, "h": 3600, "d": 86400}

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value).strip()
        digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
        unit = text[len(digits) :]
        if not digits.isdigit() or unit not in self._UNITS:
            self.fail(f"{text!r} is not a length of time like 3600, 90min, 12h or 30d", param, ctx)
        return int(digits) * self._UNITS[unit]


OPTIONS = (
    click.option("--name", help="Name of the asset; default: the first file's."),
    click.option("--price", metavar="AMOUNT", help="Tokens for each agreement; default: 0."),
    click.option("--allow-any", is_flag=True, help="Allow every algorithm."),
    click.option("--allow", "allowed", multiple=True, metavar="DID[@CHECKSUM]", help="An algorithm that may run."),
    click.option(
        "--allow-publisher", "publishers", multiple=True, metavar="ADDRESS", help="An account whose algorithms may run."
    ),
    click.option(
        "--image",
        "images",
        multiple=True,
        metavar="NAME:TAG|DIGEST",
        help="An image that may run; default: all of this provider's.",
    ),
    click.option("--timeout", type=_Duration(), help="How long after the purchase executions may start; default: 24h."),
    click.option(
        "--consumer", "consumers", multiple=True, metavar="ADDRESS", help="An account that may buy; default: any."
    ),
    click.option("--use", metavar="TEXT", help="What the data may be used for; shown before anyone pays."),
    click.option(
        "--logs", type=click.Choice(["live", "none"]), help="Whether the consumer sees the logs; default: live."
    ),
    click.option(
        "--max-executions",
        type=click.IntRange(1),
        help="Executions per agreement at most; default: 100, and one for each day.",
    ),
    click.option(
        "--revisions",
        type=click.Choice(REVISIONS),
        help="Until when the consumer may change the workflow; default: untilSuccess.",
    ),
    click.option(
        "--parameter", "parameters", multiple=True, metavar="NAME", help="A parameter that each execution may set."
    ),
    click.option(
        "--failures",
        type=click.Choice(["charged", "free"]),
        help="Whether the price is due if nothing succeeded; default: charged.",
    ),
    click.option(
        "--data", type=click.Choice(["newest", "pinned"]), help="Which files executions read; default: newest."
    ),
    click.option("--max-output", metavar="SIZE", help="Bytes per result at most, names of files included, e.g. 10mb."),
    click.option(
        "--max-log",
        metavar="SIZE",
        help="Log text per execution at most; default: 64 KiB or --max-output if smaller, where the output is limited.",
    ),
    click.option("--max-files", type=click.IntRange(1), help="Files per result at most; default: 100."),
    click.option(
        "--output-type",
        "types",
        multiple=True,
        metavar="SUFFIX",
        help="A type of files that may leave, and no other does: .csv, or .dcm=binary.",
    ),
    click.option("--entrypoint", metavar="COMMAND", help="How the algorithm starts; not needed for a single script."),
    click.option("--description", help="What it is, for people."),
    click.option("--author", help="Who made it; default: the account."),
    click.option("--license", "license_", metavar="TEXT", help="The license."),
    click.option("--tag", "tags", multiple=True, help="A word by which people find it."),
    click.option("--category", "categories", multiple=True, help="A field to which it belongs, such as transport."),
)


def described(command: Command) -> Command:
    """Add the options that say what an asset is, what it costs, and what its owner allows."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def changeable(command: Command) -> Command:
    """Add the same options to a command that leaves as it is what they do not name, so that it has no defaults."""
    known = [*getattr(command, "__click_params__", ())]
    command = described(command)
    for option in command.__click_params__[len(known) :]:  # type: ignore[attr-defined]
        option.help = option.help.partition("; default")[0].removesuffix(".") + "."
    return command


def output_rules(options: dict[str, Any]) -> dict[str, Any] | None:
    """Return ``policy.output`` as the options say it; None if they do not."""
    from insitu.domain.units import parse_bytes

    rules = {
        "maxBytes": parse_bytes(options["max_output"]) if options["max_output"] else None,
        "maxFiles": options["max_files"],
        "maxLogBytes": parse_bytes(options["max_log"]) if options["max_log"] else None,
        "types": list(options["types"]) or None,
    }
    return {name: value for name, value in rules.items() if value is not None} or None
