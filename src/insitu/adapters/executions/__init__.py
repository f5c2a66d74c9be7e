"""Executions port: the operator's executions."""
