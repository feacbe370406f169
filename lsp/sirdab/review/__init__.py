"""Review: units of code, questions about them, and findings that survive checking."""
