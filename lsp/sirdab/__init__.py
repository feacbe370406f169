"""AI code completion and review that never leaves the machine."""

__version__ = "0.1.0"
