"""Makes a workspace edit of a model's edits, in the form that the client can take."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.capabilities import get_capability

from sirdab.server import convert
from sirdab.text.document import Snapshot

if TYPE_CHECKING:
    from sirdab.review.edit import LineEdit
    from sirdab.server.language_server import SirdabServer

_ANNOTATION = "sirdab"


def workspace_edit(
    ls: "SirdabServer", snapshot: Snapshot, edits: "Sequence[LineEdit]"
) -> types.WorkspaceEdit:
    """Return an edit of one document: of this version of it, and confirmed, where clients can.

    Args:
        ls: The server; its client's capabilities decide the form.
        snapshot: The document that the edits are made for.
        edits: The edits, not overlapping.
    """
    capabilities = ls.session.capabilities
    encoding = ls.session.encoding
    ranges = [convert.range_of(snapshot, edit.start, edit.stop, encoding) for edit in edits]
    if not get_capability(capabilities, "workspace.workspace_edit.document_changes"):
        changes = [
            types.TextEdit(span, edit.text) for span, edit in zip(ranges, edits, strict=True)
        ]
        return types.WorkspaceEdit(changes={snapshot.uri: changes})
    document = types.OptionalVersionedTextDocumentIdentifier(snapshot.uri, snapshot.version)
    if not get_capability(capabilities, "workspace.workspace_edit.change_annotation_support"):
        changes = [
            types.TextEdit(span, edit.text) for span, edit in zip(ranges, edits, strict=True)
        ]
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, changes)])
    annotated = [
        types.AnnotatedTextEdit(_ANNOTATION, span, edit.text)
        for span, edit in zip(ranges, edits, strict=True)
    ]
    annotation = types.ChangeAnnotation(
        label="Written by a language model",
        needs_confirmation=True,
        description="Read it before you accept it.",
    )
    return types.WorkspaceEdit(
        document_changes=[types.TextDocumentEdit(document, annotated)],
        change_annotations={_ANNOTATION: annotation},
    )


async def apply_edit(ls: "SirdabServer", edit: types.WorkspaceEdit, label: str) -> str:
    """Have the client apply an edit.

    Returns:
        "" when it did, else one sentence that says why not.
    """
    if not get_capability(ls.session.capabilities, "workspace.apply_edit"):
        return "This editor does not let a language server change a document."
    answer = await ls.ask_client(
        types.WORKSPACE_APPLY_EDIT, types.ApplyWorkspaceEditParams(edit, label), patient=True
    )
    if isinstance(answer, types.ApplyWorkspaceEditResult) and answer.applied:
        return ""
    return "The editor did not apply the change; the document may have changed meanwhile."
