"""Grafana dashboards as code: what is in ``deploy/grafana/dashboards`` is made from here.

``python -m tidegate_flows.dashboards DIR`` writes the files; it needs the extra ``dashboards``. Who only uses the
dashboards needs nothing, and nothing else of tidegate imports this package.
"""
