"""Turn an error into text and an exit code."""

import click

from insitu.domain.errors import InsituError


def report(error: InsituError, *, as_json: bool) -> int:
    """Say on standard error what went wrong and what to do next, and return the exit code."""
    from insitu.domain.exit_codes import exit_code_of_error

    if as_json:
        from insitu.api.errors import Problem

        click.echo(Problem.of(error).model_dump_json(by_alias=True, exclude_none=True), err=True)
    else:
        for line in explain(error):
            click.echo(line, err=True)
    return exit_code_of_error(error.code)


def explain(error: InsituError) -> list[str]:
    """Return the lines that explain an error to a person, with other people's text made safe for a terminal."""
    from insitu.cli.render import plain

    problems = [
        f"{plain(problem.pointer) or '/'}: {plain(problem.message)} ({plain(problem.code)})"
        for problem in error.problems
    ]
    detail = plain(error.detail)
    if any(problem.message == error.detail for problem in error.problems):
        # The detail is one of the problems, which are all listed below with their places.
        detail = f"{len(problems)} rules are broken" if len(problems) > 1 else problems.pop()
    lines = [f"{click.style('error', fg='red', bold=True)} {error.code}: {detail}"]
    lines += [f"  {problem}" for problem in problems]
    lines.append(f"  → {error.definition.next_step}")
    return lines


def read_failure(error: OSError) -> InsituError:
    """Turn an error of the operating system about a file or folder into one of ours."""
    where = f"{error.filename}: " if error.filename else ""
    code = "FileMissing" if isinstance(error, FileNotFoundError) else "FileUnusable"
    return InsituError(code, f"{where}{error.strerror or error}")
