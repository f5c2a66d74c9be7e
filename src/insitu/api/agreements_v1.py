"""What was bought at a gateway: answers of ``GET agreements``."""

from typing import Literal

from insitu.api.gateway_v1 import ReasonView
from insitu.domain.ids import Address, AgreementId
from insitu.domain.wire import Price, Time, WireModel

AgreementStatus = Literal[
    "created", "sent", "granted", "settled", "expired", "closing", "closed", "refused", "declined", "refunded", "lost"
]
"""*created*: not decided yet; *sent*: the grant is on its way; *granted*: executions may start, as they may when it is
*settled*, after the price was paid out; *declined*: neither granted nor refused, so the price can be refunded after the
deadline; *lost*: the chain no longer knows the payment."""


class AgreementView(WireModel):
    """An agreement as this gateway knows it. The chain decides.

    Attributes
    ----------
    reason
        Why it was refused or declined, or is not granted yet.
    versions
        DID → on-chain checksum of every input that was bought; empty before the grant.
    locked_at, ends_at
        When its price was locked, and when the last execution may start; None before the grant.
    executions, executions_left
        How many have started, and how many more may start. Those that delivered nothing are left, too, within limits.
    charged, returned
        What of the price was charged for executions, and what went back.
    """

    service_agreement_id: AgreementId
    status: AgreementStatus
    reason: ReasonView | None = None
    consumer: Address
    did: str
    workflow_did: str
    versions: dict[str, str]
    locked_at: Time | None = None
    ends_at: Time | None = None
    executions: int
    executions_left: int
    price: Price
    charged: Price
    returned: Price


class AgreementList(WireModel):
    """Answer of ``GET agreements``, newest first."""

    agreements: tuple[AgreementView, ...]
    before: AgreementId | None = None
    """Asks for the next page, as ``before``; None on the last one."""


class OwnedData(WireModel):
    """A data set of the caller at this gateway.

    ``paused`` says that nothing starts on it, and ``stopping`` that what runs is stopped, too. Under its
    ``open_agreements`` something may still start.
    """

    did: str
    paused: bool
    stopping: bool
    open_agreements: int


class Desk(WireModel):
    """Answer of ``GET desk``: the caller's money at this gateway, and what is open on their data sets.

    It is what this gateway remembers. The chain decides.

    Attributes
    ----------
    received, payments
        What the caller was paid from agreements since a time, and how many charges that were.
    escrow, waiting
        The caller's parts of prices that are locked, unpaid, and may still be settled; in how many agreements. A
        success makes them the caller's, otherwise they may go back.
    data_sets
        Those that were asked for and that the caller owns.
    """

    since: Time
    received: Price
    payments: int
    escrow: Price
    waiting: int
    data_sets: tuple[OwnedData, ...]
