"""Every state of the account as the server renders it; the element's own states are in ``states.ts``."""

from collections.abc import Mapping

STATES: Mapping[str, Mapping[str, object]] = {"without script": {}}
