"""The document: immutable lines, positions in the client's units, edits in order."""
