"""The ghost-text engine: from a frozen request to suggestions, or a reason for none."""
