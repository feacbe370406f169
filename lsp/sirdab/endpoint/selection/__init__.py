"""Which endpoint is used: found, supervised, and left for the next one when it fails."""
