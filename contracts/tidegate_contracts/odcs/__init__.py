"""The Open Data Contract Standard, version 3: contracts out and in.

:mod:`~tidegate_contracts.odcs.write` makes a document of a contract, :mod:`~tidegate_contracts.odcs.read` makes a draft
of a document, :mod:`~tidegate_contracts.imported_source` renders a draft as the Python of a contract file, and
:mod:`~tidegate_contracts.odcs.text` is the only place that reads or writes YAML. What one side cannot say is listed,
never dropped in silence.
"""
