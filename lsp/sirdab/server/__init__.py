"""The language server: the only room that knows LSP, and the only one that imports pygls."""
