"""OPERATOR SERVICE: registers, lists, stops executions and serves their logs (specification, E3–E5)."""
