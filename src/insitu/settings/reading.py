"""Reading the settings: file < environment < flags, and errors that name the setting and suggest a similar one."""

import difflib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from insitu.domain.errors import InsituError
from insitu.settings.sections import Settings

PREFIX = "INSITU_"
SEPARATOR = "__"

Values = dict[str, dict[str, Any]]


def default_home(environ: Mapping[str, str]) -> Path:
    """Return the data folder from the environment: INSITU_HOME, or ``insitu`` in the user's data folder (XDG)."""
    if home := environ.get(f"{PREFIX}HOME"):
        return Path(home).expanduser().absolute()
    if data := environ.get("XDG_DATA_HOME"):
        return Path(data) / "insitu"
    return Path("~/.local/share/insitu").expanduser()


def read_settings(
    environ: Mapping[str, str],
    flags: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Settings:
    """Return the settings that apply.

    Parameters
    ----------
    environ
        The environment, usually ``os.environ``.
    flags
        ``section.key`` to value, from the command line; these win.
    home
        The data folder, by default :func:`default_home`. It need not exist.

    Raises ``SettingsInvalid`` if a name is unknown or a value is wrong, and says where it came from. Raises
    ``FileUnusable`` if the settings file exists and cannot be read.
    """
    home = (home or default_home(environ)).absolute()
    sources: dict[tuple[str, str], str] = {}
    values: Values = {}
    for section, key, value, source in (
        *_from_file(home / "config.toml"),
        *_from_environment(environ),
        *_from_flags(flags or {}),
    ):
        _check_name(section, key, source)
        values.setdefault(section, {})[key] = _parse(section, key, value)
        sources[section, key] = source
    try:
        return Settings.model_validate({"home": home, **values})
    except ValidationError as error:
        raise _explain(error, sources) from None


Setting = tuple[str, str, Any, str]


def _from_file(path: Path) -> list[Setting]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InsituError("FileUnusable", f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InsituError("SettingsInvalid", f"{path} cannot be read: {error}") from error
    found: list[Setting] = []
    for section, entries in document.items():
        if not isinstance(entries, dict):
            _check_name(section, None, str(path))
            raise InsituError("SettingsInvalid", f"{section} in {path} must be a table: write [{section}]")
        found += [(section, key, value, str(path)) for key, value in entries.items()]
    return found


def _from_environment(environ: Mapping[str, str]) -> list[Setting]:
    found: list[Setting] = []
    for name, value in sorted(environ.items()):
        if not name.startswith(PREFIX) or SEPARATOR not in name:
            continue
        section, _, key = name.removeprefix(PREFIX).lower().partition(SEPARATOR)
        found.append((section, key, value, name))
    return found


def _from_flags(flags: Mapping[str, str]) -> list[Setting]:
    found: list[Setting] = []
    for name, value in flags.items():
        section, _, key = name.partition(".")
        found.append((section, key, value, f"--set {name}"))
    return found


def _sections() -> dict[str, type[BaseModel]]:
    fields = Settings.model_fields.items()
    return {
        name: field.annotation
        for name, field in fields
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


def _check_name(section: str, key: str | None, source: str) -> None:
    sections = _sections()
    if section not in sections:
        raise InsituError("SettingsInvalid", f"{source}: no section {section!r}{_nearest(section, sections)}")
    names = sections[section].model_fields
    if key is not None and key not in names:
        raise InsituError("SettingsInvalid", f"{source}: no setting {section}.{key}{_nearest(key, names)}")


def _nearest(name: str, names: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known names: {', '.join(names)}"


def _parse(section: str, key: str, value: object) -> object:
    """Turn a text into a list if the setting is one: JSON, or values separated by commas."""
    field = _sections()[section].model_fields[key]
    if not isinstance(value, str) or not isinstance(field.get_default(), tuple):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return [item.strip() for item in value.split(",") if item.strip()]


def _explain(error: ValidationError, sources: Mapping[tuple[str, str], str]) -> InsituError:
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        place = [str(part) for part in problem["loc"]]
        source = sources.get((place[0], place[1])) if len(place) > 1 else None
        message = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{source or 'settings'}: {'.'.join(place)}: {message}")
    return InsituError("SettingsInvalid", "; ".join(lines))
