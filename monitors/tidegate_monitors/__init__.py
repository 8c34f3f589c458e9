"""What is observed: profiles, references, statistics, alarms, the breaker and the run."""
