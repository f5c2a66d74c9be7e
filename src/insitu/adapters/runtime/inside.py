"""What an algorithm finds inside its sandbox, whichever runtime makes it."""

from collections.abc import Mapping

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
