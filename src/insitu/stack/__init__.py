"""The composition root: the only place that picks adapters.

``parts`` opens single adapters, ``provider`` builds the services of one process, ``serving`` makes them answer HTTP,
``client`` connects a consumer or an owner. Functions import their adapters themselves, so that importing these modules
is fast.
"""
