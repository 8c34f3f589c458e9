"""The status page: what the ledger says, for people, on the port of the metrics.

Rendered here, styled and scripted from two files of ours, and without a request to anywhere else. It only reads, unless
a token is given: then whoever knows it may do by hand what ``tidegate breaker`` and ``tidegate quarantine`` do.
"""

from tidegate_flows.status.routing import routes

__all__ = ["routes"]
