"""Limits: who is counted, what is measured, and what happens when a limit is reached."""

from .limits import Limits
from .measures import OverLimit, Use
from .reservation import Reservation

__all__ = ["Limits", "OverLimit", "Reservation", "Use"]
