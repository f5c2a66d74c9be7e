"""Executions: start them, hand them to the operator, and show them to those who may see them."""
