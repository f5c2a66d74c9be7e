"""What the gateway's memory says of compute that pays the provider nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from insitu.domain.errors import InsituError
from insitu.domain.timestamps import format_time


@dataclass(frozen=True, slots=True)
class ComputeCaps:
    """How many seconds of compute may pay the provider nothing in 24 hours; None for no limit.

    Attributes
    ----------
    agreement, consumer, strangers
        Under one agreement, for one consumer, and for all strangers together.
    stake, coin_price
        An account is a stranger unless its charged executions have paid for all gas used for it and this many wei.
        ``coin_price`` as in :class:`insitu.ports.agreement_records.RelayLimits`.
    pays
        Whether the price of the agreement, once it is owed, pays for everything that runs under it. What strangers run
        under agreements that can pay and under others is limited separately.
    """

    agreement: int | None = None
    consumer: int | None = None
    strangers: int | None = None
    stake: int = 0
    coin_price: int = 0
    pays: bool = False


@dataclass(frozen=True, slots=True)
class ComputeLeft:
    """The cap of which least is left, in seconds.

    ``again`` is when something will be left, if nothing is and no running execution has to end before.
    """

    of: Literal["agreement", "consumer", "strangers"]
    limit: int
    left: int
    again: datetime | None = None

    def require(self, now: datetime) -> None:
        """Raise ``FreeComputeExhausted`` if nothing is left."""
        if self.left > 0:
            return
        whose = {
            "agreement": "this agreement",
            "consumer": "this account",
            "strangers": "all accounts together that have not paid this provider yet",
        }[self.of]
        when = f"at {format_time(self.again)}" if self.again is not None else "when an execution that is running ends"
        context: dict[str, Any] = {"limit": self.limit}
        if self.again is not None:
            context["retryAfter"] = int((self.again - now).total_seconds()) + 1
        detail = f"0 of {self.limit} seconds of free compute are left today for {whose}; it is possible again {when}"
        raise InsituError("FreeComputeExhausted", detail, **context)
