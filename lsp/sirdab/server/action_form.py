"""Code actions in the form that the client can take."""

from lsprotocol import types
from pygls.capabilities import get_capability

from sirdab.policy.sanitize import clean_output
from sirdab.server.language_server import SirdabServer

FIX_COMMAND = "sirdab.fix"
"""The command that carries out an action of a client that cannot resolve."""

MAX_TITLE_CHARACTERS = 80

Action = types.CodeAction | types.Command


def in_clients_form(ls: SirdabServer, action: types.CodeAction) -> Action | None:
    """Return an action as the client can use it, or None where it has no use for it."""
    capabilities = ls.session.capabilities
    if action.disabled is not None and not get_capability(
        capabilities, "text_document.code_action.disabled_support"
    ):
        return None
    computed = action.command is None
    written = computed and done_by(action) != "ignore" and not is_by_rule(action)
    if computed and action.disabled is None and not _can_resolve(capabilities):
        action.command = types.Command(action.title, FIX_COMMAND, arguments=[action.data])
        action.data = None
    literal = get_capability(capabilities, "text_document.code_action.code_action_literal_support")
    if literal is None:
        return action.command
    tags = get_capability(capabilities, "text_document.code_action.tag_support")
    if written and tags is not None and types.CodeActionTag.LlmGenerated in tags.value_set:
        action.tags = [types.CodeActionTag.LlmGenerated]
    return action


def done_by(action: types.CodeAction) -> str:
    """Return the name of what an action of ours does, "" where it is a command."""
    match action.data:
        case {"do": str(name)}:
            return name
        case _:
            return ""


def is_by_rule(action: types.CodeAction) -> bool:
    """Whether an action of ours was seen to mend by rule what it is about, without a model."""
    match action.data:
        case {"byRule": True}:
            return True
        case _:
            return False


def _can_resolve(capabilities: types.ClientCapabilities) -> bool:
    support = get_capability(capabilities, "text_document.code_action.resolve_support")
    data = get_capability(capabilities, "text_document.code_action.data_support")
    return bool(data) and support is not None and "edit" in support.properties


def is_within(kind: object, wanted: str) -> bool:
    """Whether a kind of action is one of those that a client wants (LSP 3.18, CodeActionKind)."""
    name = str(kind.value if isinstance(kind, types.CodeActionKind) else kind or "")
    return not wanted or name == wanted or name.startswith(f"{wanted}.")


def plain(message: object) -> str:
    """Return a diagnostic's message, which 3.18 lets be Markdown, as one short line."""
    text = message.value if isinstance(message, types.MarkupContent) else str(message)
    return " ".join(clean_output(text[:2_000].replace("\r", "\n")).split())[:500]


def title(text: str) -> str:
    """Return a title: one short line of visible characters."""
    text = " ".join(clean_output(text).split())
    if len(text) <= MAX_TITLE_CHARACTERS:
        return text
    return text[: MAX_TITLE_CHARACTERS - 1].rstrip() + "…"
