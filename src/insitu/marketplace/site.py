"""What every page knows about the marketplace, and what the elements in a page are told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from insitu.domain.canonical import JsonObject
from insitu.marketplace.theme import Texts
from insitu.ports.chain import TokenInfo

DEVELOPMENT_CHAIN = 31337


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the settings say.

    Attributes
    ----------
    origin
        Address of these pages, without a slash at the end.
    catalogue
        Address of the catalogue as everybody calls it, without the path of its API and without a slash at the end.
    gateways
        Origins of the gateways that pages with an account may call, besides those of the documents they show.
    development
        Whether the chain is the embedded one and only this machine can reach it. Then a page may offer accounts whose
        keys everybody knows.
    """

    name: str = "insitu"
    origin: str
    catalogue: str
    gateways: tuple[str, ...] = ()
    development: bool = False
    version: str
    texts: Texts = field(default_factory=Texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """What the catalogue and the gateways say; None as long as none has answered. Nobody signs because of these."""

    chain_id: int | None = None
    token: TokenInfo | None = None

    @property
    def chain_name(self) -> str:
        """What people call the chain."""
        if self.chain_id is None:
            return "unknown chain"
        return f"development chain {self.chain_id}" if self.chain_id == DEVELOPMENT_CHAIN else f"chain {self.chain_id}"


def told_to_elements(site: Site, facts: SiteFacts, reachable: Sequence[str]) -> JsonObject:
    """Return the data block of a page (``#insitu-site``); ``reachable``: origins that it may call."""
    token = facts.token
    return {
        "catalogue": site.catalogue,
        "gateways": list(site.gateways),
        "reachable": list(reachable),
        "development": site.development,
        "chain": {"id": facts.chain_id, "name": facts.chain_name} if facts.chain_id is not None else None,
        "token": {"symbol": token.symbol, "decimals": token.decimals} if token is not None else None,
        "version": site.version,
    }
