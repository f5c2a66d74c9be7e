"""Adapters of the executions port: the operator's records of executions."""
