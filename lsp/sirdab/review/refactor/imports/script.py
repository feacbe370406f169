"""The imports that JavaScript and TypeScript code needs, of Node's own modules."""

import re
from typing import TYPE_CHECKING

from sirdab.review.refactor.imports.lifted import Lifted
from sirdab.review.refactor.imports.modules import NODE_MODULES
from sirdab.review.refactor.refusal import RefusalError
from sirdab.review.refactor.shrink import LineEdit
from sirdab.syntax.parse import Parsed, parse_alone
from sirdab.text.store import Point, Text

if TYPE_CHECKING:
    from tree_sitter import Node

# Functions that are usually imported by themselves, and of which module.
_FROM: dict[str, str] = {
    **dict.fromkeys(("execFile", "execFileSync", "spawn", "spawnSync"), "child_process"),
    **dict.fromkeys(
        ("randomBytes", "randomUUID", "randomInt", "createHash", "createHmac", "scrypt",
         "scryptSync", "timingSafeEqual", "pbkdf2", "pbkdf2Sync"),
        "crypto",
    ),
    **dict.fromkeys(("readFile", "writeFile", "mkdir", "stat"), "fs/promises"),
    **dict.fromkeys(("readFileSync", "writeFileSync", "existsSync"), "fs"),
    "promisify": "util",
    "pipeline": "stream/promises",
}  # fmt: skip
# What is there without an import: ECMAScript 2024, and what browsers and Node.js have in common,
# and of each what code uses most. It is no proof that a name is there; what is not in it, and not
# in the document, is taken for missing.
_GLOBALS = frozenset(
    {
        "AbortController", "AbortSignal", "AggregateError", "Array", "ArrayBuffer", "Atomics",
        "BigInt", "BigInt64Array", "Blob", "Boolean", "BroadcastChannel", "Buffer",
        "CustomEvent", "DOMException", "DOMParser", "DataView", "Date", "Document",
        "DocumentFragment", "Element", "Error", "EvalError", "Event", "EventTarget", "File",
        "FileReader", "FinalizationRegistry", "Float32Array", "Float64Array", "FormData",
        "Function", "HTMLElement", "Headers", "Infinity", "Int16Array", "Int32Array",
        "Int8Array", "IntersectionObserver", "Intl", "Iterator", "JSON", "JSX", "Map", "Math",
        "MessageChannel", "MutationObserver", "NaN", "Node", "NodeJS", "Number", "Object",
        "Performance", "Promise", "Proxy", "RangeError", "React", "ReadableStream",
        "ReferenceError", "Reflect", "RegExp", "Request", "ResizeObserver", "Response", "Set",
        "SharedArrayBuffer", "String", "Symbol", "SyntaxError", "TextDecoder", "TextEncoder",
        "TransformStream", "TypeError", "URIError", "URL", "URLSearchParams", "Uint16Array",
        "Uint32Array", "Uint8Array", "Uint8ClampedArray", "WeakMap", "WeakRef", "WeakSet",
        "WebAssembly", "Worker", "WritableStream", "__dirname", "__filename", "afterAll",
        "afterEach", "alert", "arguments", "assert", "atob", "beforeAll", "beforeEach", "btoa",
        "cancelAnimationFrame", "clearInterval", "clearTimeout", "console", "crypto",
        "customElements", "decodeURI", "decodeURIComponent", "describe", "document", "encodeURI",
        "encodeURIComponent", "escape", "eval", "expect", "exports", "fetch", "global",
        "globalThis", "history",
        "isFinite", "isNaN", "it", "jest", "localStorage", "location", "module", "navigator",
        "parseFloat", "parseInt", "performance", "process", "prompt", "queueMicrotask",
        "requestAnimationFrame", "requestIdleCallback", "require", "self", "sessionStorage",
        "setImmediate", "setInterval", "setTimeout", "structuredClone", "super", "test", "this",
        "undefined", "unescape", "vi", "window",
    }
)  # fmt: skip
# Where an identifier is bound: nodes in which every one is, and fields of others.
_PATTERNS = frozenset(
    {"array_pattern", "formal_parameters", "import_clause", "import_specifier", "namespace_import",
     "pair_pattern", "rest_pattern", "labeled_statement"}
)  # fmt: skip
_BINDS = {
    "arrow_function": "parameter", "assignment_pattern": "left", "catch_clause": "parameter",
    "class_declaration": "name", "enum_declaration": "name", "for_in_statement": "left",
    "function_declaration": "name", "function_expression": "name",
    "generator_function_declaration": "name", "internal_module": "name",
    "object_assignment_pattern": "left", "optional_parameter": "pattern",
    "required_parameter": "pattern", "variable_declarator": "name",
}  # fmt: skip
_IMPORT = re.compile(r"^(?:import\b(?!\s*\()|(?:const|let|var)\b.*=\s*require\s*\()")


def needed(before: Text, after: Text, language_id: str, lifted: Lifted) -> list[LineEdit]:
    """Return the edit that adds the imports which new code needs; see `imports.needed`."""
    old, new = parse_alone(before, language_id), parse_alone(after, language_id)
    if old is None or new is None:
        return []
    bound_before, read_before = _identifiers(old)
    known = bound_before | read_before
    bound, read = _identifiers(new)
    missing = sorted(read - known - bound - _GLOBALS)
    if not missing:
        return []
    esm = any(line.startswith(("import ", "import{", "export ")) for line in before.lines())
    esm = esm or (language_id.startswith("typescript") and "require(" not in str(before))
    statements: dict[str, None] = {}
    for name in missing:
        statement = _written(name, lifted) or _statement(name, esm)
        if statement is None:
            raise RefusalError(
                f"The new code uses {name[:60]}, which is not defined, so nothing is done.",
                hint=f"{name[:60]} is not defined; define it or do without it.",
            )
        statements[statement] = None
    row = _row(before)
    end = before.line_end
    added = "".join(f"{statement}{end}" for statement in sorted(statements))
    if row < before.line_count and (row == 0 or not _IMPORT.match(before.line_body(row - 1))):
        added += end if before.line_body(row).strip() else ""
    return [LineEdit(Point(row, 0), Point(row, 0), added)]


def _identifiers(parsed: Parsed) -> tuple[set[str], set[str]]:
    """Return the names that are bound anywhere in a document, and those that are read."""
    bound: set[str] = set()
    read: set[str] = set()
    stack = [parsed.tree.root_node]
    while stack:
        node = stack.pop()
        if node.type == "shorthand_property_identifier_pattern":
            bound.add(_text(node))
        elif node.type in ("identifier", "shorthand_property_identifier"):
            (bound if _is_bound(node) else read).add(_text(node))
        elif node.type == "type_identifier":
            # Classes and enumerations are types and values.
            bound.add(_text(node))
        else:
            stack.extend(node.named_children)
    return bound, read


def _is_bound(node: "Node") -> bool:
    """Whether an identifier gets its meaning where it stands."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type in _PATTERNS:
        return True
    field = _BINDS.get(parent.type)
    return field is not None and parent.child_by_field_name(field) == node


def _written(name: str, lifted: Lifted) -> str | None:
    """Return the model's own import of a name."""
    for statement in lifted.statements:
        head = re.split(r"\bfrom\b|=\s*require", statement)[0]
        if re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", head):
            return statement
    return None


def _statement(name: str, esm: bool) -> str | None:
    """Return the import of a module of Node's that binds a name, or None."""
    if name in _FROM:
        module, names = _FROM[name], f"{{ {name} }}"
    elif name in NODE_MODULES and name != "test":
        module, names = name, name
    else:
        return None
    if not esm:
        return f'const {names} = require("node:{module}");'
    return f'import {names} from "node:{module}";'


def _row(text: Text) -> int:
    """Return the line before which an import goes: behind those at the top."""
    row, at = 0, 0
    depth = 0
    for number in range(min(text.line_count, 400)):
        body = text.line_body(number)
        if number == 0 and body.startswith(("#!", '"use ', "'use ")):
            row = at = 1
            continue
        starts = _IMPORT.match(body) is not None
        if depth <= 0 and not starts:
            if body.strip() and not body.lstrip().startswith(("//", "/*", "*", '"use', "'use")):
                break
            continue
        depth += sum(body.count(sign) for sign in "({[") - sum(body.count(s) for s in ")}]")
        row = number + 1
    return max(row, at)


def _text(node: "Node") -> str:
    return "" if node.text is None else node.text.decode("utf-8", "replace")
