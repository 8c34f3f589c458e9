"""The doctor: what a deployment needs, whether it is there, and how to mend it; one kind of thing a file."""

from tidegate_flows.doctor.examination import examine
from tidegate_flows.doctor.examined import Examined

__all__ = ["Examined", "examine"]
