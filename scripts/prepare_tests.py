"""Fetches what the tests with a real model and real editors need; called by `make test`.

What is there already is not fetched again. What cannot be had is said, and the tests that need it
are skipped with the reason: a machine without a network can still run the others.
"""

import importlib
import os
import sys
from pathlib import Path

from sirdab.models.catalog import default_model
from sirdab.models.errors import ModelError, ModelMissingError
from sirdab.models.store import find, find_model, megabytes, store_directory


def say(text: str) -> None:
    """Print a line at once, so that a slow download is not silent."""
    print(f"prepare: {text}", flush=True)


def prepare_model() -> None:
    """Make sure that the default model is on this machine."""
    from sirdab.endpoint.managed.pull import Progress, pull

    named = os.environ.get("SIRDAB_TEST_MODEL")
    if named:
        say(f"the model is {find(named).path} (SIRDAB_TEST_MODEL)")
        return
    model = default_model()
    try:
        found = find_model(model)
    except ModelMissingError:
        pass
    except ModelError as error:
        say(error.message)
    else:
        say(f"the model is {found.path}")
        return
    say(f"fetching {model.title}, {megabytes(model.size_bytes)}, into {store_directory()}")
    told = -1

    def show(progress: Progress) -> None:
        nonlocal told
        tenth = progress.done_bytes * 10 // progress.total_bytes
        if tenth > told:
            told = tenth
            say(f"{tenth * 10:3d} % from {progress.source}")

    say(f"the model is {pull(model, on_progress=show)}")


def prepare_editors() -> None:
    """Make sure that the editors the end-to-end tests drive are on this machine."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    editors = importlib.import_module("tests.support.editors")
    editors.prepare(say)


def prepare_second_server() -> None:
    """Make sure that a model server of another family is on this machine."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    importlib.import_module("scripts.prepare_second_server").prepare(say)


def main() -> int:
    """Prepare each thing; a failure of one does not keep the others from being tried."""
    for what, prepare in (
        ("model", prepare_model),
        ("editors", prepare_editors),
        ("second model server", prepare_second_server),
    ):
        try:
            prepare()
        except ModelError as error:
            say(f"WARNING: no {what}: {error.message} Tests that need it are skipped.")
        except Exception as error:  # noqa: BLE001 - the tests tell the rest, as skips
            say(f"WARNING: no {what} ({type(error).__name__}: {error}).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
