"""What the grammars know about a document: trees within a budget, and scopes."""
