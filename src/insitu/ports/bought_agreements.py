"""Lists of what was bought: what to list, what was used of it, and who earned what."""

from dataclasses import dataclass

from insitu.domain.ids import Address, AgreementId


@dataclass(frozen=True, slots=True, kw_only=True)
class BoughtFilter:
    """Which agreements to list, newest first.

    Attributes
    ----------
    consumer, reading
        Of a consumer, and of those that bought a data set (its DID).
    live
        Those under which something may still start, or nothing any more.
    now
        In seconds since 1970, for ``live``.
    before
        The last agreement of the page before.
    """

    consumer: Address | None = None
    reading: str | None = None
    live: bool | None = None
    now: int
    before: AgreementId | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Used:
    """What was used of an agreement.

    Attributes
    ----------
    started, silent
        How many executions there were, and how many of them ended without delivering anything.
    charged, settled
        Base units: what was decided, and what of it was paid out.
    """

    started: int
    silent: int
    charged: int
    settled: int


@dataclass(frozen=True, slots=True)
class Earned:
    """What an account was paid from agreements, and what waits for it, in base units.

    Attributes
    ----------
    received, payments
        Since some moment, by charges that were settled: how much, and how many.
    escrow, waiting
        Its parts of prices that are locked, unpaid, and can still be settled; of how many agreements.
    """

    received: int
    payments: int
    escrow: int
    waiting: int
