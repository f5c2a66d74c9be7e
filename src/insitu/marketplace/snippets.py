"""The same as a page does, as lines to copy: command line, Python, JavaScript. They work as they stand."""

import json
import shlex
from dataclasses import dataclass

from insitu.domain.asset import ALGORITHM, DATASET, WORKFLOW
from insitu.marketplace.descriptions import RESULT


@dataclass(frozen=True, slots=True)
class Snippet:
    """Lines of one language."""

    language: str
    code: str


def snippets_for(kind: str, did: str, gateway: str | None, execution: str | None = None) -> tuple[Snippet, ...]:
    """Return the lines for an asset; ``gateway`` is the origin that its document names.

    ``execution`` is the id of the execution that a result comes from.
    """
    return (
        Snippet("Command line", _command_line(kind, did, gateway, execution)),
        Snippet("Python", _python(kind, did, gateway)),
        Snippet("JavaScript", _javascript(kind, did, gateway)),
    )


def _command_line(kind: str, did: str, gateway: str | None, execution: str | None) -> str:
    where = [f"export INSITU_URL={shlex.quote(gateway)}"] if gateway else []
    use = {
        RESULT: f"insitu result {execution} -o out/" if execution else "",
        DATASET: f"insitu run count.py --on {did} -o out/",
        ALGORITHM: f"insitu run {did} --on did:nv:… -o out/",
        WORKFLOW: f"insitu run {did} -o out/",
    }
    return "\n".join([*where, f"insitu show {did}", *filter(None, [use.get(kind)])])


def _python(kind: str, did: str, gateway: str | None) -> str:
    lines = ["import insitu", "", f"client = insitu.connect({_quoted(gateway)})"]
    runs = {
        DATASET: f'client.run("count.py", on="{did}")',
        ALGORITHM: f'client.run("{did}", on="did:nv:…")',
        WORKFLOW: f'client.compute.run_workflow("{did}")',
    }
    if kind in runs:
        lines += [f"execution = {runs[kind]}", "execution.wait()", 'execution.download("out/")']
    elif kind == RESULT:
        lines += [f'client.assets.download("{did}", "out/")']
    else:
        lines += [f'print(client.assets.resolve("{did}"))']
    return "\n".join(lines)


def _javascript(kind: str, did: str, gateway: str | None) -> str:
    lines = [
        "import { connect } from 'insitu'",
        "",
        f"const client = await connect({_quoted(gateway or 'http://127.0.0.1:8030')})",
        f"const {{ ddo, record }} = await client.assets.show('{did}')",
        "console.log(ddo.json, record.owner)",
    ]
    return "\n".join(lines)


def _quoted(text: str | None) -> str:
    return json.dumps(text) if text else ""
