"""What is said of predictions once their labels have come, held against a known truth: ``make bench-labels``."""
