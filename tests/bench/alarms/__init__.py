"""What alarms cost and what they find, measured on real data beside other tools: ``make bench-alarms``."""
