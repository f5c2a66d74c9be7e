"""Asking for several things at once, with the same answers and errors as one after the other."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

from insitu.domain.errors import InsituError

__all__ = ["both", "outcomes"]

A = TypeVar("A")
B = TypeVar("B")


async def both(first: Awaitable[A], second: Awaitable[B]) -> tuple[A, B]:
    """Wait for both; where both fail, the first's error is raised."""
    one, two = await asyncio.gather(first, second, return_exceptions=True)
    if isinstance(one, BaseException):
        raise one
    if isinstance(two, BaseException):
        raise two
    return one, two


async def outcomes(asked: Iterable[Awaitable[A]]) -> list[A | InsituError]:
    """Wait for all; a refusal is an outcome in its place, any other error is raised."""
    found = await asyncio.gather(*asked, return_exceptions=True)
    kept: list[A | InsituError] = []
    for outcome in found:
        if isinstance(outcome, BaseException) and not isinstance(outcome, InsituError):
            raise outcome
        kept.append(outcome)
    return kept
