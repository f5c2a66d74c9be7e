"""Results: the end of an execution, its receipt, its new asset and its charge."""
