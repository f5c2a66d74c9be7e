"""``insitu demo``: the whole specification on one machine, on real data, checked step by step."""
