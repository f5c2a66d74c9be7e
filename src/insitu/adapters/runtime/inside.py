"""What an algorithm finds inside its sandbox, whichever runtime makes it."""

from collections.abc import Mapping

from insitu.domain.errors import InsituError
from insitu.domain.plan import InputFile

__all__ = ["ALGORITHM", "VARIABLES", "checked_name"]

ALGORITHM = "/mnt/transformations/1"

VARIABLES: Mapping[str, str] = {
    "HOME": "/tmp",  # noqa: S108 (inside the sandbox)
    "NEVERMINED_INPUTS_PATH": "/mnt/inputs",
    "NEVERMINED_OUTPUTS_PATH": "/mnt/output",
    "NEVERMINED_TRANSFORMATIONS_PATH": "/mnt/transformations",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "TMPDIR": "/tmp",  # noqa: S108
    "USER": "sandbox",
}


def checked_name(file: InputFile, *, alone: bool) -> str:
    """Return the name of an input's file; one that is alone may have none. Raises ``ConfigurationFailed``."""
    name = file.name
    if name == "" and alone:
        return name
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise InsituError("ConfigurationFailed", f"file {file.index} of an input has no usable name")
    return name
