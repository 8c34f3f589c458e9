"""Where files lie: one file a kind of store."""
