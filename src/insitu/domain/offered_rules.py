"""What the rules of a data set come to, in the few words by which a catalogue finds and counts data sets.

They say what the rules say, and no more: what runs in the end is decided by :mod:`insitu.domain.effective_policy`.
"""

from itertools import islice

from insitu.domain.compute_service import ComputeService, read_compute_service
from insitu.domain.ddo import Ddo
from insitu.domain.errors import InsituError
from insitu.domain.file_types import normal_type

ANY_ALGORITHM, PUBLISHERS, ALGORITHMS, NO_ALGORITHM = "any", "publishers", "algorithms", "nothing"
ANY_FILE, NO_FILE, LOG, NO_LOG = "any file", "no file", "log", "no log"
MOST_TYPES = 50
"""Types of files that are found; a hostile document must not fill an index."""


def may_run(service: ComputeService) -> tuple[str, ...]:
    """Return what may run next to the data.

    ``any`` algorithm, also a consumer's own; those of trusted ``publishers``; ``algorithms`` that the rules name, each
    in one version; or ``nothing``, because no algorithm is allowed, a rule cannot be obeyed or there is no image.
    """
    policy = service.policy
    if policy.not_understood or policy.review != "none" or not service.containers:
        return (NO_ALGORITHM,)
    if policy.allows_any:
        return (ANY_ALGORITHM,)
    named = isinstance(policy.algorithms, tuple) and bool(policy.algorithms)
    kinds = ((PUBLISHERS, bool(policy.publishers)), (ALGORITHMS, named))
    return tuple(kind for kind, is_allowed in kinds if is_allowed) or (NO_ALGORITHM,)


def may_leave(service: ComputeService) -> tuple[str, ...]:
    """Return what may leave: types such as ``.csv``, ``any file`` or ``no file``; and ``log`` or ``no log``."""
    policy, output = service.policy, service.policy.output
    if output.types is None:
        files: tuple[str, ...] = (ANY_FILE,)
    else:
        suffixes = (normal_type(text).partition("=")[0] for text in output.types)
        files = tuple(islice(dict.fromkeys(suffixes), MOST_TYPES)) or (NO_FILE,)
    if output.max_bytes == 0 or output.max_files == 0:
        files = (NO_FILE,)
    is_silent = policy.effective_logs == "none" or output.effective_log_bytes == 0
    return (*files, NO_LOG if is_silent else LOG)


def rules_offered(ddo: Ddo) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what may run and what may leave by the first compute service; nothing if there is none to be read."""
    for service in ddo.compute_services:
        try:
            offered = read_compute_service(service)
        except InsituError:
            continue
        return may_run(offered), may_leave(offered)
    return (), ()
