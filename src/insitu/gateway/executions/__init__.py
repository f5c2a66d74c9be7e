"""Executions: started, handed to the operator, and shown to everyone with a role in them."""
