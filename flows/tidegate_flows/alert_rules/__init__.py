"""Alert rules as code: each alert beside the cases in which it must fire and those in which it must not.

What is in files under ``deploy/`` is rendered from here by :mod:`tidegate_flows.render`.
"""
