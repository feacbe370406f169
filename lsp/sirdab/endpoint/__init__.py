"""Model servers: the only rooms that open a socket."""
