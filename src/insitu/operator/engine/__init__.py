"""OPERATOR ENGINE: one loop per process that carries every execution from registration to nothing left."""

from insitu.operator.engine.engine import Engine
from insitu.operator.engine.parts import Parts

__all__ = ["Engine", "Parts"]
