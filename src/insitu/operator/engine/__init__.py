"""OPERATOR ENGINE: one loop per process that carries every execution from registration until nothing of it is left."""

from insitu.operator.engine.engine import Engine
from insitu.operator.engine.parts import Parts

__all__ = ["Engine", "Parts"]
