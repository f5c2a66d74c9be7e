"""``insitu demo``: the whole specification on one machine and on real data, checked step by step."""
