"""Errors under addresses of pages are pages; those of the API stay problem documents."""

from collections.abc import Callable

from fastapi import Response

from insitu.api.errors import Problem
from insitu.marketplace.routes.answers import answer
from insitu.marketplace.service import Marketplace

FOR_PROGRAMS = ("/api", "/healthz", "/openapi.json")


def page_of_failure(marketplace: Marketplace) -> Callable[[Problem, str], Response | None]:
    """Return what answers an error at a path with a page, or with None if a program asked."""

    def show(problem: Problem, path: str) -> Response | None:
        for_programs = any(path == start or path.startswith(start + "/") for start in FOR_PROGRAMS)
        return None if for_programs else answer(marketplace.failure(problem, path))

    return show
