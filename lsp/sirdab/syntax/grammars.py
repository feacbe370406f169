"""Grammars by language identifier, each imported when its language is first met."""

import logging
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language

_log = logging.getLogger(__name__)

# Language identifier of LSP (3.18, "TextDocumentItem") to module and function.
_GRAMMARS: dict[str, tuple[str, str]] = {
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
    "go": ("tree_sitter_go", "language"),
    "java": ("tree_sitter_java", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "javascriptreact": ("tree_sitter_javascript", "language"),
    "lua": ("tree_sitter_lua", "language"),
    "python": ("tree_sitter_python", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "typescriptreact": ("tree_sitter_typescript", "language_tsx"),
}

LANGUAGES = frozenset(_GRAMMARS)
"""Language identifiers that have a grammar."""


@cache
def grammar(language_id: str) -> "Language | None":
    """Return the grammar of a language, None where there is none or it cannot be loaded.

    Args:
        language_id: As LSP spells it.
    """
    entry = _GRAMMARS.get(language_id)
    if entry is None:
        return None
    module, function = entry
    try:
        from tree_sitter import Language

        pointer: object = getattr(import_module(module), function)()
        return Language(pointer)
    except (ImportError, AttributeError, ValueError, OSError) as error:
        # A grammar built for another version of tree-sitter is refused with a ValueError.
        _log.info("There is no grammar for %s (%s); its scopes are unknown.", language_id, error)
        return None
