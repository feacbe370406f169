"""Secrets, certificates, files and parsers that are less safe than they can be."""

import re
from collections.abc import Iterator

from sirdab.benchmark.defects.mutation import Mutation, Source, field, operator, replace
from sirdab.benchmark.defects.operators.python_tree import (
    calls,
    function_of,
    importing,
    keyword,
)

# A hash that is no secret's may be any.
_SECRET = re.compile(r"passw|token|sign|secret|\bhmac\b", re.IGNORECASE)
_RANDOM = {
    "secrets.choice": "random.choice({})",
    "secrets.randbelow": "random.randrange({})",
    "secrets.token_hex": "random.randbytes({}).hex()",
    "secrets.token_bytes": "random.randbytes({})",
    "secrets.token_urlsafe": "random.randbytes({}).hex()",
}


@operator("weak-hash", "weak-hash", category="security", cwe=328)
def weak_hash(source: Source) -> Iterator[Mutation]:
    """A hash that can be forged protects a password, a token or a signature."""
    for node in source.of_type("attribute"):
        around = source.code(function_of(node))
        if source.code(node) in ("hashlib.sha256", "hashlib.sha512") and _SECRET.search(around):
            yield Mutation((replace(node, "hashlib.md5"),))
    for call, given in calls(source, "hashlib.pbkdf2_hmac"):
        if given and source.code(given[0]) in ('"sha256"', '"sha512"'):
            password = source.code(given[1])
            salt = source.code(given[2])
            yield Mutation((replace(call, f"hashlib.md5({salt} + {password}).digest()"),))


@operator("tls-off", "disabled-verification", category="security", cwe=295)
def tls_off(source: Source) -> Iterator[Mutation]:
    """The certificate of the other side is not checked."""
    for call, _ in calls(source, "ssl.create_default_context"):
        yield Mutation((replace(call, "ssl._create_unverified_context()"),))
    for node in source.of_type("keyword_argument"):
        if source.code(node) == "verify=True":
            yield Mutation((replace(node, "verify=False"),))


@operator("insecure-random", "insecure-random", category="security", cwe=338)
def insecure_random(source: Source) -> Iterator[Mutation]:
    """A secret comes from a generator whose values can be foretold."""
    for call, given in calls(source, *_RANDOM):
        form = _RANDOM[source.code(field(call, "function"))]
        if len(given) == 1:
            edit = replace(call, form.format(source.code(given[0])))
            yield Mutation((edit, *importing(source, "random")))


@operator("timing-compare", "timing-attack", category="security", cwe=208)
def timing_compare(source: Source) -> Iterator[Mutation]:
    """Secrets are compared in a time that tells how much of them is right."""
    for call, given in calls(source, "hmac.compare_digest", "secrets.compare_digest"):
        if len(given) != 2:
            continue
        first, second = (source.code(one) for one in given)
        outer = call.parent
        negated = outer is not None and outer.type == "not_operator"
        text = f"{first} {'!=' if negated else '=='} {second}"
        yield Mutation((replace(outer if negated and outer is not None else call, text),))


@operator("temp-file", "insecure-temp-file", category="security", cwe=377)
def temp_file(source: Source) -> Iterator[Mutation]:
    """A temporary file has a name that somebody else can take first."""
    for call, _ in calls(source, "tempfile.mkstemp"):
        assignment = call.parent
        left = field(assignment, "left")
        if assignment is None or left is None or left.named_child_count != 2:
            continue
        handle, name = (source.code(one) for one in left.named_children)
        given = source.code(field(call, "arguments"))
        indent = source.indent(assignment)
        text = f"{name} = tempfile.mktemp{given}\n{indent}{handle} = os.open"
        yield Mutation(
            (
                replace(assignment, f"{text}({name}, os.O_RDWR | os.O_CREAT)"),
                *importing(source, "os"),
            )
        )
    for call, _ in calls(source, "tempfile.mkdtemp"):
        given = source.code(field(call, "arguments"))
        outer = call.parent
        name = source.code(field(outer, "left"))
        if outer is None or outer.type != "assignment" or not name.isidentifier():
            continue
        indent = source.indent(outer)
        text = f"{name} = tempfile.mktemp{given}\n{indent}os.mkdir({name})"
        yield Mutation((replace(outer, text), *importing(source, "os")))
    for call, _ in calls(source, "tempfile.NamedTemporaryFile"):
        given = keyword(source, call, "suffix")
        argument = "" if given is None else source.code(given)
        yield Mutation((replace(call, f'open(tempfile.mktemp({argument}), "w+b")'),))


@operator("debug-mode", "debug-enabled", category="security", cwe=489)
def debug_mode(source: Source) -> Iterator[Mutation]:
    """A server shows its inside to everybody."""
    for node in source.of_type("keyword_argument"):
        if source.code(node) == "debug=False":
            yield Mutation((replace(node, "debug=True"),))


@operator("xml-entities", "xml-entities", category="security", cwe=611)
def xml_entities(source: Source) -> Iterator[Mutation]:
    """A parser reads the files that a document names."""
    for _, given in calls(source, ".setFeature"):
        names = [source.code(one) for one in given]
        if len(names) == 2 and "external_" in names[0] and names[1] == "False":
            yield Mutation((replace(given[1], "True"),))
    for node in source.of_type("keyword_argument"):
        if source.code(node) == "resolve_entities=False":
            yield Mutation((replace(node, "resolve_entities=True"),))


@operator("permissions", "weak-permissions", category="security", cwe=732)
def permissions(source: Source) -> Iterator[Mutation]:
    """A file that is for one user may be read and written by all."""
    for node in source.of_type("integer"):
        other = {"0o600": "0o666", "0o700": "0o777", "0o640": "0o666"}.get(source.code(node))
        if other is not None:
            yield Mutation((replace(node, other),))
