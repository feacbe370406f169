"""Every bound that keeps a hostile or huge input from hurting, with its reason.

Sizes that a user may want to change are settings; these are not.
"""

KIB = 1024
MIB = 1024 * KIB

MAX_HEADER_BYTES = 8 * KIB
"""Header of one JSON-RPC message. Real ones have some 60 bytes; a stream without a blank
line must not be read for ever."""

MAX_MESSAGE_BYTES = 64 * MIB
"""Body of one JSON-RPC message. Far above any document an editor opens as text, far below
what would exhaust the memory of the machine (`Content-Length: 99999999999` did, in pygls)."""

MAX_DOCUMENT_CHARACTERS = 4 * MIB
"""Code points of a document that is completed: about 100,000 lines of code. Larger files are
data or generated; they are kept in step with the editor but get no model."""

MAX_LINE_CHARACTERS = 4_000
"""Code points of the line with the cursor. A longer one is minified or data, and it alone
would be more than a lean prompt (about 3 characters to a token)."""

BINARY_SNIFF_CHARACTERS = 8_000
"""How far a NUL is looked for before a document is taken for text. Git looks at as many
bytes (git, xdiff-interface.c, FIRST_FEW_BYTES)."""

MAX_PARSE_BYTES = 512 * KIB
"""UTF-8 bytes of a document that is parsed. A first parse takes about 70 ms per MiB, during
which the interpreter does nothing else."""

FIRST_PARSE_BUDGET_MS = 150.0
"""Milliseconds the first parse of a document may take. It is paid once, and below the size
limit it suffices on slow machines too."""

PARSE_BUDGET_MS = 20.0
"""Milliseconds that repairing a tree after an edit may take: mostly it takes about one, and
what takes longer is answered as unknown rather than late."""

MAX_RESPONSE_BYTES = 8 * MIB
"""Bytes of an answer of a model server that is read whole, such as the token list of a long
text. A stream is bounded by its deadline and by `sirdab.endpoint.stream`."""

MAX_IGNORE_FILE_BYTES = 1 * MIB
"""Bytes of an ignore file. A larger one is not one, and its folder is left alone."""

MAX_AUDIT_BYTES = 8 * MIB
"""Bytes of one file of the audit trail: about 25,000 requests."""

AUDIT_FILES = 4
"""Files of the audit trail, the one that is written to included."""


def looks_binary(content: str) -> bool:
    """Return whether a document's content is not text, judged by a NUL near its start."""
    return "\0" in content[:BINARY_SNIFF_CHARACTERS]
