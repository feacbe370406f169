"""Findings that are mended by rule: each before and after, and what only looks like it."""

import asyncio

import pytest

from sirdab.config.schema import Settings
from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.lane import Lane
from sirdab.review import edit, rewrite
from sirdab.review.gates import Gates
from sirdab.review.refactor import mechanical
from sirdab.review.rules import all_rules, rule_named
from sirdab.text.document import Snapshot
from sirdab.text.store import Text

# Rule, lines before, lines after; the finding is of the first line that differs.
PYTHON = [
    ("identity-comparison", 'def f(a):\n    return a is "x"\n', 'def f(a):\n    return a == "x"\n'),
    (
        "identity-comparison",
        "def f(a):\n    if a is not 5:\n        g()\n",
        "def f(a):\n    if a != 5:\n        g()\n",
    ),
    (
        "exception-not-raised",
        'def f(a):\n    if a < 0:\n        ValueError("no")\n    return a\n',
        'def f(a):\n    if a < 0:\n        raise ValueError("no")\n    return a\n',
    ),
    (
        "missing-await",
        "async def g():\n    return 1\n\n\nasync def f():\n    g()\n    return 2\n",
        "async def g():\n    return 1\n\n\nasync def f():\n    await g()\n    return 2\n",
    ),
    (
        "missing-await",
        "async def g():\n    return 'a'\n\n\nasync def f():\n    return g().strip()\n",
        "async def g():\n    return 'a'\n\n\nasync def f():\n    return (await g()).strip()\n",
    ),
    (
        "missing-return",
        "def f(a, b):\n    total = a + b\n    total\n",
        "def f(a, b):\n    total = a + b\n    return total\n",
    ),
    (
        "disabled-verification",
        "import requests\n\n\ndef f(url):\n    return requests.get(url, timeout=5, verify=False)\n",
        "import requests\n\n\ndef f(url):\n    return requests.get(url, timeout=5, verify=True)\n",
    ),
    (
        "disabled-verification",
        "import ssl\n\n\ndef f():\n    return ssl._create_unverified_context()\n",
        "import ssl\n\n\ndef f():\n    return ssl.create_default_context()\n",
    ),
    (
        "disabled-verification",
        "import ssl\n\n\ndef f(context):\n    context.verify_mode = ssl.CERT_NONE\n",
        "import ssl\n\n\ndef f(context):\n    context.verify_mode = ssl.CERT_REQUIRED\n",
    ),
    (
        "debug-enabled",
        "def main(app):\n    app.run(port=80, debug=True)\n",
        "def main(app):\n    app.run(port=80, debug=False)\n",
    ),
    (
        "timing-attack",
        (
            "import hashlib\n\n\ndef f(token: bytes, data):\n"
            "    return token == hashlib.sha256(data).digest()\n"
        ),
        (
            "import hashlib\nimport hmac\n\n\ndef f(token: bytes, data):\n"
            "    return hmac.compare_digest(token, hashlib.sha256(data).digest())\n"
        ),
    ),
    (
        "timing-attack",
        "import hmac\n\n\ndef f(token: str, secret: str):\n    return token != secret\n",
        (
            "import hmac\n\n\ndef f(token: str, secret: str):\n"
            "    return not hmac.compare_digest(token.encode(), secret.encode())\n"
        ),
    ),
    (
        "unsafe-deserialization",
        "import yaml\n\n\ndef f(text):\n    return yaml.load(text, Loader=yaml.Loader) or {}\n",
        "import yaml\n\n\ndef f(text):\n    return yaml.safe_load(text) or {}\n",
    ),
    (
        "weak-permissions",
        "import os\n\n\ndef f(path):\n    os.chmod(path, 0o777)\n",
        "import os\n\n\ndef f(path):\n    os.chmod(path, 0o700)\n",
    ),
    (
        "weak-hash",
        "import hashlib\n\n\ndef f(token):\n    return hashlib.md5(token).hexdigest()\n",
        "import hashlib\n\n\ndef f(token):\n    return hashlib.sha256(token).hexdigest()\n",
    ),
    (
        "insecure-random",
        "import random\n\n\ndef token():\n    return random.randbytes(16)\n",
        "import random\nimport secrets\n\n\ndef token():\n    return secrets.token_bytes(16)\n",
    ),
    (
        "insecure-temp-file",
        (
            "import os\nimport tempfile\n\n\ndef f():\n    folder = tempfile.mktemp()\n"
            "    os.mkdir(folder)\n    return folder\n"
        ),
        (
            "import os\nimport tempfile\n\n\ndef f():\n    folder = tempfile.mkdtemp()\n"
            "    return folder\n"
        ),
    ),
    (
        "mutable-default",
        'def f(a, seen=[]):\n    """Add."""\n    seen.append(a)\n    return seen\n',
        (
            'def f(a, seen=None):\n    """Add."""\n    if seen is None:\n        seen = []\n'
            "    seen.append(a)\n    return seen\n"
        ),
    ),
    (
        "mutable-default",
        "class A:\n\tdef f(self, a={}):\n\t\treturn a\n",
        "class A:\n\tdef f(self, a=None):\n\t\tif a is None:\n\t\t\ta = {}\n\t\treturn a\n",
    ),
    (
        "off-by-one",
        "def f(x):\n    for i in range(len(x) + 1):\n        print(x[i])\n",
        "def f(x):\n    for i in range(len(x)):\n        print(x[i])\n",
    ),
    ("off-by-one", "def f(x):\n    return x[len(x)]\n", "def f(x):\n    return x[-1]\n"),
    (
        "integer-division",
        "def f(x):\n    return sum(x) // len(x)\n",
        "def f(x):\n    return sum(x) / len(x)\n",
    ),
    (
        "float-equality",
        "def f(x):\n    return x / 3 == 0.1\n",
        "import math\n\ndef f(x):\n    return math.isclose(x / 3, 0.1)\n",
    ),
    (
        "ignored-result",
        "def f(name):\n    name.strip()\n    return name\n",
        "def f(name):\n    name = name.strip()\n    return name\n",
    ),
    (
        "modified-while-iterating",
        "def f(d):\n    for k in d.keys():\n        if k:\n            del d[k]\n",
        "def f(d):\n    for k in list(d.keys()):\n        if k:\n            del d[k]\n",
    ),
    (
        "naive-datetime",
        "from datetime import datetime\n\n\ndef f():\n    return datetime.utcnow()\n",
        (
            "from datetime import datetime\nfrom datetime import timezone\n\n\ndef f():\n"
            "    return datetime.now(timezone.utc)\n"
        ),
    ),
    (
        "falsy-default",
        "def f(limit=None):\n    limit = limit or 5\n    return limit\n",
        "def f(limit=None):\n    limit = 5 if limit is None else limit\n    return limit\n",
    ),
    (
        "late-binding",
        (
            "def f(names):\n    made = []\n    for name in names:\n"
            "        made.append(lambda: print(name))\n    return made\n"
        ),
        (
            "def f(names):\n    made = []\n    for name in names:\n"
            "        made.append(lambda name=name: print(name))\n    return made\n"
        ),
    ),
]
SCRIPT = [
    (
        "loose-equality",
        "function f(a, b) {\n  return a == b;\n}\n",
        "function f(a, b) {\n  return a === b;\n}\n",
    ),
    (
        "exception-not-raised",
        'function f(a) {\n  if (!a) {\n    new Error("no");\n  }\n  return a;\n}\n',
        'function f(a) {\n  if (!a) {\n    throw new Error("no");\n  }\n  return a;\n}\n',
    ),
    (
        "missing-await",
        "async function f(url) {\n  const answer = fetch(url);\n  return answer.status;\n}\n",
        "async function f(url) {\n  const answer = await fetch(url);\n  return answer.status;\n}\n",
    ),
    (
        "disabled-verification",
        "function f() {\n  return { rejectUnauthorized: false };\n}\n",
        "function f() {\n  return { rejectUnauthorized: true };\n}\n",
    ),
    (
        "numeric-sort",
        "function f(sizes) {\n  return [...sizes].sort().reverse();\n}\n",
        "function f(sizes) {\n  return [...sizes].sort((a, b) => a - b).reverse();\n}\n",
    ),
    (
        "missing-radix",
        "function f(text) {\n  return parseInt(text);\n}\n",
        "function f(text) {\n  return parseInt(text, 10);\n}\n",
    ),
    (
        "insecure-random",
        "function token() {\n  return Math.random().toString(36).slice(2);\n}\n",
        "function token() {\n  return crypto.randomUUID();\n}\n",
    ),
    (
        "timing-attack",
        (
            'import { timingSafeEqual } from "crypto";\n\nfunction f(token, secret) {\n'
            "  return token.equals(secret);\n}\n"
        ),
        (
            'import { timingSafeEqual } from "crypto";\n\nfunction f(token, secret) {\n'
            "  return token.length === secret.length && timingSafeEqual(token, secret);\n}\n"
        ),
    ),
    (
        "off-by-one",
        "function f(x) {\n  for (let i = 0; i <= x.length; i++) {\n    use(x[i]);\n  }\n}\n",
        "function f(x) {\n  for (let i = 0; i < x.length; i++) {\n    use(x[i]);\n  }\n}\n",
    ),
    (
        "falsy-default",
        "function f(options) {\n  return options.retries || 3;\n}\n",
        "function f(options) {\n  return options.retries ?? 3;\n}\n",
    ),
    (
        "code-injection",
        'function f(text) {\n  return eval("(" + text + ")");\n}\n',
        "function f(text) {\n  return JSON.parse(text);\n}\n",
    ),
    (
        "ignored-result",
        "function f(name) {\n  name.trim();\n  return name;\n}\n",
        "function f(name) {\n  name = name.trim();\n  return name;\n}\n",
    ),
    (
        "late-binding",
        "function f(later) {\n  for (var i = 0; i < 3; i++) {\n    later(() => use(i));\n  }\n}\n",
        "function f(later) {\n  for (let i = 0; i < 3; i++) {\n    later(() => use(i));\n  }\n}\n",
    ),
]
# Rule, language, code, and the line of it that a finding would be of.
ALIKE = [
    ("identity-comparison", "python", "def f(a, b):\n    return a is b\n", 1),
    ("identity-comparison", "python", "def f(a):\n    return a is None\n", 1),
    ("loose-equality", "javascript", "function f(a) {\n  return a == null;\n}\n", 1),
    ("exception-not-raised", "python", "def f(a):\n    check(a)\n", 1),
    ("exception-not-raised", "python", "def f(a):\n    b = ValueError(a)\n    return b\n", 1),
    ("exception-not-raised", "javascript", "function f() {\n  start();\n}\n", 1),
    ("missing-await", "python", "async def g():\n    pass\n\n\ndef f():\n    g()\n", 5),
    ("missing-await", "python", "async def f(a):\n    await a.g()\n", 1),
    ("missing-await", "python", ("async def g(a):\n    ...\n\nasync def f(b):\n"
     "    return any(g(a) for a in b)\n"), 4),
    ("missing-return", "python", "def f(a):\n    for b in a:\n        b\n", 2),
    ("missing-return", "python", "def f(a):\n    a\n    return 1\n", 1),
    ("disabled-verification", "python", "def f(ssl, m):\n    return m == ssl.CERT_NONE\n", 1),
    ("disabled-verification", "python", "def f(get, off):\n    get(verify=off)\n", 1),
    ("timing-attack", "python", "def f(token, secret):\n    return token == secret\n", 1),
    ("timing-attack", "python", "def f(token: str, key: bytes):\n    return token == key\n", 1),
    ("timing-attack", "javascript", "function f(a) {\n  return g().equals(a.b);\n}\n", 1),
    ("unsafe-deserialization", "python", ("import yaml\n\ndef f(t, c):\n"
     "    return yaml.load(t, Loader=c.Mine)\n"), 3),
    ("unsafe-deserialization", "python", ("import pickle\n\ndef f(t):\n"
     "    return pickle.loads(t)\n"), 3),
    ("weak-hash", "python", ("import hashlib\n\ndef f(password):\n"
     "    return hashlib.md5(password).hexdigest()\n"), 3),
    ("weak-permissions", "python", "import os\n\ndef f(p):\n    os.chmod(p, 0o755)\n", 3),
    ("insecure-random", "python", ("import numpy as np, random\nrandom = np.random\n\n"
     "def token():\n    return random.choice('ab')\n"), 4),
    ("insecure-random", "javascript", "function token() {\n  return Math.random() * 9;\n}\n", 1),
    ("insecure-temp-file", "python", ("import tempfile\n\ndef f():\n"
     "    name = tempfile.mktemp()\n    return name\n"), 3),
    ("mutable-default", "python", "def f(a=[]): return a\n", 0),
    ("mutable-default", "python", "def f(a: list = []):\n    return a\n", 0),
    ("mutable-default", "python", "def f(a=()):\n    return a\n", 0),
    ("off-by-one", "python", ("def f(x):\n    for i in range(len(x) + 1):\n"
     "        print(x[:i])\n"), 1),
    ("off-by-one", "python", "def f(x, v):\n    x[len(x)] = v\n", 1),
    ("off-by-one", "python", ("def f(x):\n    for i in range(len(x) + 1):\n"
     "        print(x[i] if i < len(x) else 0)\n"), 1),
    ("off-by-one", "javascript", ("function f(x) {\n  for (let i = 0; i <= x.length; i++) {\n"
     "    use(x.slice(0, i));\n  }\n}\n"), 1),
    ("integer-division", "python", "def f(x):\n    return x[len(x) // 2]\n", 1),
    ("integer-division", "python", "def f(x):\n    half = len(x) // 2\n    return x[half]\n", 1),
    ("integer-division", "python", "def f(x):\n    return list(range(x // 2))\n", 1),
    ("float-equality", "python", "def f(x, y):\n    return x == y\n", 1),
    ("ignored-result", "python", "import os\n\ndef f(a, b):\n    os.replace(a, b)\n", 3),
    ("ignored-result", "python", "def f(path, target):\n    path.replace(target)\n", 1),
    ("ignored-result", "javascript", "function f() {\n  location.replace('/');\n}\n", 1),
    ("ignored-result", "javascript", "function f(g) {\n  const a = g();\n  a.trim();\n}\n", 2),
    ("modified-while-iterating", "python", "def f(d, e):\n    for k in d:\n        del e[k]\n", 1),
    ("naive-datetime", "python", ("from datetime import datetime\n\ndef f(a):\n"
     "    return datetime.now() - a\n"), 3),
    ("falsy-default", "javascript", "function f(a, b) {\n  return a || b || 1;\n}\n", 1),
    ("falsy-default", "python", "def f(a):\n    return a() or 1\n", 1),
    ("late-binding", "python", "def f(a):\n    return lambda: a\n", 1),
    ("late-binding", "javascript", ("function f(later) {\n  for (var i = 0; i < 3; i++) {\n"
     "    later(() => i);\n  }\n  return i;\n}\n"), 1),
    ("numeric-sort", "javascript", "function f(a) {\n  return a.sort(by);\n}\n", 1),
    ("missing-radix", "javascript", "function f(a) {\n  return parseInt(a, 16);\n}\n", 1),
    ("missing-radix", "javascript", "function f(a) {\n  return parseInt(...a);\n}\n", 1),
    ("code-injection", "javascript", "function f(a) {\n  return eval(a);\n}\n", 1),
]  # fmt: skip
MENDED = [*(("python", *one) for one in PYTHON), *(("javascript", *one) for one in SCRIPT)]


def wanted(code: str, language: str, rule_id: str, row: int) -> rewrite.Rewriting:
    rule = rule_named(rule_id)
    assert rule is not None
    snapshot = Snapshot("untitled:a", language, 1, Text(code))
    return rewrite.fix_rule(snapshot, Settings(), (), (row, row), rule)


def first_change(before: str, after: str) -> int:
    """Return the line that the finding is of: the first that is mended, but for imports."""
    left, kept = before.split("\n"), after.split("\n")
    return next(row for row, line in enumerate(left) if line not in kept)


@pytest.mark.parametrize(("language", "rule", "before", "after"), MENDED)
def test_the_plain_case_is_mended(language: str, rule: str, before: str, after: str) -> None:
    found = mechanical.mended(wanted(before, language, rule, first_change(before, after)))
    assert found is not None
    assert str(edit.apply(Text(before), found)) == after


@pytest.mark.parametrize(("language", "rule", "before", "after"), MENDED)
def test_line_ends_and_what_is_around_stay(
    language: str, rule: str, before: str, after: str
) -> None:
    mark = "# é" if language == "python" else "// 😀é"
    code = f"{before}\n\n{mark}\n".replace("\n", "\r\n")
    found = mechanical.mended(wanted(code, language, rule, first_change(before, after)))
    assert found is not None
    assert str(edit.apply(Text(code), found)) == f"{after}\n\n{mark}\n".replace("\n", "\r\n")


@pytest.mark.parametrize(("rule", "language", "code", "row"), ALIKE)
def test_what_only_looks_like_it_is_left_to_the_model(
    rule: str, language: str, code: str, row: int
) -> None:
    assert mechanical.known(rule, language)
    assert mechanical.mended(wanted(code, language, rule, row)) is None


def test_every_rule_that_is_mended_is_one() -> None:
    there = {rule.id for rule in all_rules()}
    used = {rule for _, rule, _, _ in MENDED}
    assert used <= there
    assert all(mechanical.known(rule, language) for language, rule, _, _ in MENDED)


@pytest.mark.parametrize("broken", ["def f(:\n    return a is 5\n", "return a is 5\r    x\r"])
def test_code_with_errors_and_old_line_ends_is_left_alone(broken: str) -> None:
    row = broken.count("\n", 0, broken.index("is 5"))
    assert mechanical.changes(Text(broken), "python", "identity-comparison", (row, row)) is None


def test_no_model_is_asked() -> None:
    class Nobody:
        async def acquire(self) -> None:
            raise EndpointError(ProblemKind.DOWN, "There is no model.")

    language, rule, before, after = MENDED[0]
    rewriter = rewrite.Rewriter(Nobody(), Lane(quiet_s=0), Gates())  # pyright: ignore[reportArgumentType]
    found = asyncio.run(
        rewriter.rewrite(wanted(before, language, rule, first_change(before, after)))
    )
    assert isinstance(found, mechanical.Mended)
    assert str(edit.apply(Text(before), found)) == after
