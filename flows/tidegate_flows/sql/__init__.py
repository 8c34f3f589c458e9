"""A contract held against a table where it lies: Great Expectations asks, in the database; no row leaves it."""
