"""OPERATOR SERVICE: registers, lists, stops executions and hands out their logs (specification, E3–E5)."""
