"""What a model's own file says of it, where the server runs on this machine and names the file.

A renamed file still holds the name it was converted under, its architecture, its chat template and
its vocabulary, which is more than most servers tell.
"""

from dataclasses import replace
from pathlib import Path

from sirdab.models.errors import ModelError
from sirdab.models.gguf import read_header
from sirdab.models.resolve import Evidence
from sirdab.models.sentinels import to_probe_unnamed


def with_file(evidence: Evidence, path: str) -> Evidence:
    """Return what is known of a model with what its file adds; what is known already stays.

    Reads the header, which takes some 0.2 s for a large vocabulary: call it in a thread.

    Args:
        evidence: What is known so far.
        path: What the server says is its file. A server may run elsewhere or say what it likes: a
            path that is not absolute, and a file that cannot be read or is no model, adds nothing.
    """
    file = Path(path)
    if not path or not file.is_absolute():
        return evidence
    wanted = frozenset(to_probe_unnamed())
    try:
        if not file.is_file():
            return evidence
        header = read_header(file, wanted)
    except (ModelError, OSError, ValueError):
        return evidence
    names = (*evidence.names, path, header.name)
    return replace(
        evidence,
        names=tuple(dict.fromkeys(name for name in names if name)),
        architecture=evidence.architecture or header.architecture,
        template=evidence.template or header.chat_template,
        single_tokens={
            **({token: token in header.tokens for token in wanted} if header.vocabulary else {}),
            **evidence.single_tokens,
        },
    )
