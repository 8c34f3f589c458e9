"""The demo: a year of real flights through the gate."""
