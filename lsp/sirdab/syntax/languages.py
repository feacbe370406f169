"""Language identifiers of the Language Server Protocol by file name.

The identifiers are those of the table in LSP 3.18, section "TextDocumentItem"; an editor sends
them, and only the command line has to find them out.
"""

from pathlib import PurePath

_BY_SUFFIX = {
    ".bash": "shellscript",
    ".c": "c",
    ".cc": "cpp",
    ".cpp": "cpp",
    ".cs": "csharp",
    ".css": "css",
    ".cxx": "cpp",
    ".go": "go",
    ".h": "c",
    ".hh": "cpp",
    ".hpp": "cpp",
    ".html": "html",
    ".java": "java",
    ".js": "javascript",
    ".json": "json",
    ".jsx": "javascriptreact",
    ".kt": "kotlin",
    ".lua": "lua",
    ".md": "markdown",
    ".mjs": "javascript",
    ".php": "php",
    ".pl": "perl",
    ".py": "python",
    ".pyi": "python",
    ".r": "r",
    ".rb": "ruby",
    ".rs": "rust",
    ".scala": "scala",
    ".scss": "scss",
    ".sh": "shellscript",
    ".sql": "sql",
    ".swift": "swift",
    ".toml": "toml",
    ".ts": "typescript",
    ".tsx": "typescriptreact",
    ".xml": "xml",
    ".yaml": "yaml",
    ".yml": "yaml",
}
_BY_NAME = {"Dockerfile": "dockerfile", "Makefile": "makefile", "makefile": "makefile"}


def language_of(path: PurePath) -> str:
    """Return the language identifier of a file, "plaintext" when it is not known."""
    return _BY_NAME.get(path.name) or _BY_SUFFIX.get(path.suffix.lower(), "plaintext")
