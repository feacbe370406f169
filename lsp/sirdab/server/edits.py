"""Makes a workspace edit of edits, in the form that the client can take."""

from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.capabilities import get_capability

from sirdab.server import convert
from sirdab.server.jsonrpc import Code
from sirdab.server.protocol import RequestError
from sirdab.text.document import Snapshot

if TYPE_CHECKING:
    from sirdab.review.edit import LineEdit
    from sirdab.review.refactor.newtests import NewFile
    from sirdab.server.actions import Made, Work
    from sirdab.server.language_server import SirdabServer
    from sirdab.server.progress import Progress, Token

_ANNOTATION = "sirdab"
_BY_MODEL = "Written by a language model"
_START = types.Range(types.Position(0, 0), types.Position(0, 0))


async def made(ls: "SirdabServer", work: "Work", token: "Token | None") -> "Made | str | None":
    """Do the work of an action while the editor shows how far it is.

    Args:
        ls: The server.
        work: The work.
        token: The client's progress token; None to have one made where the client can.

    Returns:
        What came of it; the sentence that says why nothing did; None when the person has cancelled
        it in the editor.
    """
    from sirdab.review.refactor.refusal import RefusalError

    async def work_on(progress: "Progress") -> "Made | str":
        try:
            return await work.make(lambda percent: progress.report(percent, 100, ""))
        except RefusalError as refusal:
            return refusal.message

    if not work.asks_model:
        return await work_on(_silent(ls))
    return await ls.work_shown.run(work.doing, token, work_on, lambda: "")


async def explained(
    ls: "SirdabServer", snapshot: Snapshot, lines: tuple[int, int], token: "Token | None"
) -> str | None:
    """Have code explained while the editor shows that it goes on; None when it is cancelled.

    Raises:
        RequestError: It cannot be explained; the message says why.
    """
    from sirdab.review.refactor.refusal import RefusalError

    async def work_on(progress: "Progress") -> str:
        del progress
        explainer = await ls.refactorings.explainer()
        session = ls.session
        try:
            return await explainer.explain(
                snapshot, session.settings, session.workspace_folders, lines
            )
        except RefusalError as refusal:
            raise RequestError(Code.REQUEST_FAILED, refusal.message) from refusal

    return await ls.work_shown.run("Explaining", token, work_on, lambda: "")


def workspace_edit(
    ls: "SirdabServer", snapshot: Snapshot, what: "Made", *, asks_model: bool = True
) -> types.WorkspaceEdit:
    """Return an edit of one document, or a new file, and confirmed where the client can.

    Args:
        ls: The server; its client's capabilities decide the form.
        snapshot: The document that the edits are made for; the edit is of this version of it.
        what: The edits, in order and not overlapping; or the file, see `actions.can_create`.
        asks_model: Whether a model may have written it, so that a person has to read it first; what
            was mended by rule is to be read as well, and its annotation says so.
    """
    capabilities = ls.session.capabilities
    annotated = asks_model and bool(
        get_capability(capabilities, "workspace.workspace_edit.change_annotation_support")
    )
    if not isinstance(what, list):
        return _new_file(what, annotated)
    encoding = ls.session.encoding
    ranges = [convert.range_of(snapshot, edit.start, edit.stop, encoding) for edit in what]
    plain = [types.TextEdit(span, edit.text) for span, edit in zip(ranges, what, strict=True)]
    if not get_capability(capabilities, "workspace.workspace_edit.document_changes"):
        return types.WorkspaceEdit(changes={snapshot.uri: plain})
    document = types.OptionalVersionedTextDocumentIdentifier(snapshot.uri, snapshot.version)
    if not annotated:
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, plain)])
    marked = [types.AnnotatedTextEdit(_ANNOTATION, one.range, one.new_text) for one in plain]
    return types.WorkspaceEdit(
        document_changes=[types.TextDocumentEdit(document, marked)],
        change_annotations=_annotations(_added(what), _author(what)),
    )


def _new_file(file: "NewFile", annotated: bool) -> types.WorkspaceEdit:
    uri = file.path.as_uri()
    # A file that is there by now must stay as it is.
    options = types.CreateFileOptions(overwrite=False, ignore_if_exists=False)
    document = types.OptionalVersionedTextDocumentIdentifier(uri, None)
    if not annotated:
        return types.WorkspaceEdit(
            document_changes=[
                types.CreateFile(uri, options=options),
                types.TextDocumentEdit(document, [types.TextEdit(_START, file.text)]),
            ]
        )
    return types.WorkspaceEdit(
        document_changes=[
            types.CreateFile(uri, options=options, annotation_id=_ANNOTATION),
            types.TextDocumentEdit(
                document, [types.AnnotatedTextEdit(_ANNOTATION, _START, file.text)]
            ),
        ],
        change_annotations=_annotations(
            f"A new file, {file.path.name}; the values that its tests expect are guesses."
        ),
    )


def is_by_rule(what: "Made") -> bool:
    """Whether edits were made by rule, so that no model has written any of it."""
    from sirdab.review.refactor.mechanical import Mended

    return isinstance(what, Mended)


def _author(what: "Made") -> str:
    return "Mended by rule, without a language model" if is_by_rule(what) else _BY_MODEL


def _annotations(what: str, author: str = _BY_MODEL) -> dict[str, types.ChangeAnnotation]:
    return {
        _ANNOTATION: types.ChangeAnnotation(
            label=author,
            needs_confirmation=True,
            description=f"{what} Read it before you accept it.",
        )
    }


def _added(edits: "list[LineEdit]") -> str:
    places = len({edit.start.line for edit in edits})
    return "One place." if places == 1 else f"{places} places, which belong together."


def _silent(ls: "SirdabServer") -> "Progress":
    from sirdab.server.progress import Progress

    return Progress(ls, None)


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
