"""The gateway's public API: how its budgets for strangers stand, in words (ADR 0175)."""

from typing import Literal

from insitu.domain.wire import Time, WireModel

BudgetKind = Literal["relayedGas", "freeGas", "freeCompute"]
BudgetStanding = Literal["enough", "low", "usedUp"]


class Budget(WireModel):
    """How a budget for accounts stands that have not paid this provider yet (ADR 0175).

    Attributes
    ----------
    of
        ``relayedGas``: purchases and requests that it sends for others. ``freeGas``: registration and settlement of
        executions without a charge. ``freeCompute``: machine time of such executions.
    stands
        ``low``: less than a quarter is left. ``usedUp``: what needs it is refused.
    until
        The hour by which something is left again; null if nothing is used up, or only its operator can change that.
    next_step
        What its operator can do; empty if there is enough.
    """

    of: BudgetKind
    stands: BudgetStanding
    until: Time | None = None
    next_step: str = ""


class Budgets(WireModel):
    """Answer of ``GET budgets``, at most a minute old. Gas of what it sends is missing where it sends nothing."""

    budgets: tuple[Budget, ...]
