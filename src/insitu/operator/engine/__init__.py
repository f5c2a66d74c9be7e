"""OPERATOR ENGINE: carries executions through their phases (specification, E6–E8)."""
