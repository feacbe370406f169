"""Reviews in the protocol: when they run, what is known of each document, and how it is shown."""
