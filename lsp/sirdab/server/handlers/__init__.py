"""One module for each LSP method. A handler is a plain function; see `server.protocol`."""

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

from lsprotocol import types

from sirdab.server.handlers import (
    code_action,
    completion,
    diagnostic,
    did_change,
    did_change_configuration,
    did_change_watched_files,
    did_change_workspace_folders,
    did_close,
    did_move_cursor,
    did_open,
    did_rename_files,
    did_save,
    did_show,
    execute_command,
    explain,
    initialized,
    inline_completion,
    models,
    review,
    statistics,
    workspace_diagnostic,
)
from sirdab.server.language_server import SirdabServer

# What is offered to the client of these is said in `server.greeting`.
_HANDLERS: tuple[tuple[str, Callable[..., Any]], ...] = (
    (types.INITIALIZED, initialized.handle),
    (types.TEXT_DOCUMENT_DID_OPEN, did_open.handle),
    (types.TEXT_DOCUMENT_DID_CHANGE, did_change.handle),
    (types.TEXT_DOCUMENT_DID_CLOSE, did_close.handle),
    (types.TEXT_DOCUMENT_DID_SAVE, did_save.handle),
    (types.TEXT_DOCUMENT_INLINE_COMPLETION, inline_completion.handle),
    (types.TEXT_DOCUMENT_COMPLETION, completion.handle),
    (types.TEXT_DOCUMENT_DIAGNOSTIC, diagnostic.handle),
    (types.WORKSPACE_DIAGNOSTIC, workspace_diagnostic.handle),
    (types.TEXT_DOCUMENT_CODE_ACTION, code_action.handle),
    (types.CODE_ACTION_RESOLVE, code_action.resolve),
    (types.WORKSPACE_DID_CHANGE_CONFIGURATION, did_change_configuration.handle),
    (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, did_change_watched_files.handle),
    (types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, did_change_workspace_folders.handle),
    (types.WORKSPACE_DID_RENAME_FILES, did_rename_files.handle),
    (types.WINDOW_WORK_DONE_PROGRESS_CANCEL, review.cancel_progress),
    (explain.METHOD, explain.handle),
    (statistics.METHOD, statistics.handle),
    (models.METHOD, models.handle),
    (did_show.METHOD, did_show.handle),
    (did_move_cursor.METHOD, did_move_cursor.handle),
)


def register(server: SirdabServer) -> None:
    """Give a server its handlers.

    Raises:
        TypeError: A handler is a coroutine function: it would start after later messages
            have been applied, and see documents that it was not asked about.
    """
    for method, handler in _HANDLERS:
        if iscoroutinefunction(handler):
            raise TypeError(f"the handler of {method} must be a plain function")
        server.feature(method)(handler)
    for name, command in execute_command.COMMANDS.items():
        server.command(name)(command)
