"""How often the instant answer is right, how sure it can be of it, and what it costs."""
