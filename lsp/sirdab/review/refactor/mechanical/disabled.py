"""Protection that is turned off by a word: turn it on."""

from sirdab.review.refactor.mechanical.case import Case, Change, replaced
from sirdab.review.refactor.mechanical.registry import PYTHON, SCRIPT, mends
from sirdab.review.tree import Node

_OFF = frozenset({"verify", "verify_ssl", "check_hostname", "ssl_verify", "validate_certs"})
_OFF_SCRIPT = frozenset({"rejectUnauthorized", "strictSSL"})


@mends("disabled-verification", *PYTHON)
def verified(case: Case) -> list[Change] | None:
    """Check certificates."""
    found = _words(case, _OFF, "false", "True")
    for node in case.all("attribute"):
        if node.text == "ssl._create_unverified_context":
            found.append(replaced(node, "ssl.create_default_context"))
        elif node.text == "ssl.CERT_NONE" and node.field in ("right", "value"):
            found.append(replaced(node, "ssl.CERT_REQUIRED"))
    return found


@mends("disabled-verification", *SCRIPT)
def authorized(case: Case) -> list[Change] | None:
    """Check certificates."""
    found: list[Change] = []
    for node in case.all("pair"):
        key, value = node.child("key"), node.child("value")
        is_off = key is not None and key.text.strip("\"'") in _OFF_SCRIPT
        if is_off and value is not None and value.kind == "false":
            found.append(replaced(value, "true"))
    return found


@mends("debug-enabled", *PYTHON)
def without_debugger(case: Case) -> list[Change] | None:
    """Turn the debugger off."""
    return _words(case, frozenset({"debug", "DEBUG"}), "true", "False")


@mends("xml-entities", *PYTHON)
def without_entities(case: Case) -> list[Change] | None:
    """Let no entity from outside in."""
    found = _words(case, frozenset({"resolve_entities", "load_dtd"}), "true", "False")
    for call in case.all("call"):
        given = call.child("arguments")
        if (
            given is None
            or len(given.children) != 2
            or not call.text.split("(")[0].endswith(".setFeature")
        ):
            continue
        feature, value = given.children
        is_external = feature.text.endswith(("feature_external_ges", "feature_external_pes"))
        if is_external and value.text in ("True", "1"):
            found.append(replaced(value, "False"))
    return found


def _words(case: Case, names: frozenset[str], is_: str, becomes: str) -> list[Change]:
    """Replace the value of arguments and assignments of some names."""
    found: list[Change] = []
    for node in case.all("keyword_argument", "assignment"):
        name = node.child("name") or node.child("left")
        value = node.child("value") or node.child("right")
        if name is not None and value is not None and value.kind == is_ and _last(name) in names:
            found.append(replaced(value, becomes))
    return found


def _last(name: Node) -> str:
    return name.text.rpartition(".")[2]
