"""Asking for several things at once, with the same answers and errors as one after the other."""

from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

import anyio

from insitu.domain.errors import InsituError

A = TypeVar("A")
B = TypeVar("B")


async def both(first: Awaitable[A], second: Awaitable[B]) -> tuple[A, B]:
    """Wait for both. If both fail, raise the error of the first."""
    answers: list[Any] = await _gather((first, second))
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers[0], answers[1]


async def outcomes(asked: Iterable[Awaitable[A]]) -> list[A | InsituError]:
    """Wait for all. An ``InsituError`` takes the place of an answer; any other error is raised."""
    kept: list[A | InsituError] = []
    for answer in await _gather(asked):
        if isinstance(answer, Exception) and not isinstance(answer, InsituError):
            raise answer
        kept.append(answer)
    return kept


async def _gather(asked: Iterable[Awaitable[A]]) -> list[A | Exception]:
    answers: dict[int, A | Exception] = {}

    async def answer(position: int, question: Awaitable[A]) -> None:
        try:
            answers[position] = await question
        except Exception as error:  # noqa: BLE001 - both callers raise it, or return it in its place
            answers[position] = error

    async with anyio.create_task_group() as group:
        for position, question in enumerate(asked):
            group.start_soon(answer, position, question)
    return [answers[position] for position in range(len(answers))]
