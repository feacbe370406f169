"""Settings: one schema, the sources they come from, and what is generated from them."""
