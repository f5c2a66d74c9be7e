"""How the contracts' escrow splits a charge; the vectors have examples."""

from collections.abc import Sequence

from insitu.domain.errors import InsituError


def split_charge(amounts: Sequence[int], settled: int, charge: int) -> tuple[int, ...]:
    """What each receiver gets when `charge` more is settled: the escrow's nested cumulative floors.

    For i = n - 1 … 1 receiver i gets ⌊R1·aᵢ/T⌋ - ⌊R0·aᵢ/T⌋ of what the later receivers left over, receiver 0 the
    rest. No dust remains, nobody's share is negative, and once all is settled each receiver has exactly its amount, in
    any slicing. Raises `ChargeExceedsRemainder` if more would be settled than was agreed.
    """
    total = sum(amounts)
    if charge < 0 or settled < 0 or settled + charge > total:
        raise InsituError("ChargeExceedsRemainder", f"charge {charge} with {settled} of {total} settled")
    if not amounts:
        return ()
    before, after = settled, settled + charge
    shares = [0] * len(amounts)
    for i in range(len(amounts) - 1, 0, -1):
        floor_before = before * amounts[i] // total if total else 0
        floor_after = after * amounts[i] // total if total else 0
        shares[i] = floor_after - floor_before
        before, after, total = before - floor_before, after - floor_after, total - amounts[i]
    shares[0] = after - before
    return tuple(shares)
