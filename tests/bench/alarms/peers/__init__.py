"""Other tools in their default configuration, on the same batches and columns."""
