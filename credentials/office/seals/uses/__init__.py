"""The log of uses and alarms: what was sealed by which grant, and what was refused."""

from credentials.office.seals.uses.values import Alarm, Use

__all__ = ["Alarm", "Use"]
