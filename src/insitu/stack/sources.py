"""The web as a provider may reach it: the files of data sets, and addresses that others name."""

from typing import TYPE_CHECKING

from insitu.settings.sections import Settings
from insitu.stack.objects import access, remote_places

if TYPE_CHECKING:
    from insitu.adapters.sources.targets import Targets
    from insitu.adapters.sources.web import WebSources


def targets(settings: Settings) -> "Targets":
    """Return which addresses may be reached when others name them."""
    from insitu.adapters.sources.targets import Targets

    return Targets(settings.gateway.allowed_hosts, allow_private=settings.gateway.allow_private_targets)


def open_sources(settings: Settings) -> "WebSources":
    """Return the sources of data sets' files. The provider's own buckets are never among them."""
    from insitu.adapters.sources.web import WebSources

    return WebSources(targets(settings), access(settings), tuple(remote_places(settings).values()))
