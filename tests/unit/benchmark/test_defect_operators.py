"""What each operator does to code, and where it leaves it alone."""

import textwrap

import pytest

from sirdab.benchmark.defects.mutation import LANGUAGES, Operator, Source, mutate
from sirdab.benchmark.defects.operators import all_operators, operator_named
from sirdab.benchmark.defects.seeds import own_seeds, seeds_of


def results(operator: str, before: str) -> list[str]:
    """All that an operator makes of some code, in the order of the places."""
    one = operator_named(operator)
    assert one is not None
    language = "python" if one.family == "python" else "typescript"
    text = textwrap.dedent(before).lstrip("\n")
    return [seed.text for seed in seeds_of("a", text, language, [one])]


def check(operator: str, before: str, after: str) -> None:
    """An operator makes this of the code, and nothing else."""
    assert results(operator, before) == [textwrap.dedent(after).lstrip("\n")]


def check_no(operator: str, before: str) -> None:
    """An operator finds no place in the code."""
    assert results(operator, before) == []


@pytest.mark.parametrize(
    ("operator", "before", "after"),
    [
        (
            "range-bound",
            "for i in range(len(xs) - 1):\n    print(xs[i + 1])\n",
            "for i in range(len(xs)):\n    print(xs[i + 1])\n",
        ),
        (
            "index-bound",
            "def f(xs):\n    i = 0\n    while i < len(xs):\n        i += 1\n",
            "def f(xs):\n    i = 0\n    while i <= len(xs):\n        i += 1\n",
        ),
        ("slice-bound", "def f(x, n):\n    return x[:n]\n", "def f(x, n):\n    return x[:n - 1]\n"),
        ("slice-bound", "def f(x):\n    return x[-1]\n", "def f(x):\n    return x[len(x)]\n"),
        (
            "rank-bound",
            "def f(x, n):\n    return x[n - 1]\n",
            "def f(x, n):\n    return x[n]\n",
        ),
        (
            "none-check",
            "def f(d):\n    x = d.get(1)\n    if x is None:\n        return 0\n    return x.size\n",
            "def f(d):\n    x = d.get(1)\n    return x.size\n",
        ),
        (
            "division-guard",
            "def f(xs):\n    return sum(xs) / len(xs) if xs else 0\n",
            "def f(xs):\n    return sum(xs) / len(xs)\n",
        ),
        (
            "division-guard",
            "def f(xs):\n    return (sum(xs) / len(xs)  # mean\n            if xs else 0)\n",
            "def f(xs):\n    return (sum(xs) / len(xs))\n",
        ),
        (
            "falsy-default",
            "def f(x):\n    return x if x is not None else 5\n",
            "def f(x):\n    return x or 5\n",
        ),
        (
            "missing-await",
            "async def f():\n    await g(1)\n",
            "async def f():\n    g(1)\n",
        ),
        (
            "blocking-call",
            "import asyncio\n\nasync def f():\n    await asyncio.sleep(1)\n",
            "import time\nimport asyncio\n\nasync def f():\n    time.sleep(1)\n",
        ),
        (
            "resource-leak",
            "def f(p):\n    with open(p) as file:\n        x = file.read()\n        return x\n",
            "def f(p):\n    file = open(p)\n    x = file.read()\n    return x\n",
        ),
        (
            "swallowed-error",
            "try:\n    f()\nexcept E as error:\n    raise G from error\n",
            "try:\n    f()\nexcept E:\n    pass\n",
        ),
        (
            "broad-except",
            "try:\n    f()\nexcept KeyError:\n    x = 1\n",
            "try:\n    f()\nexcept Exception:\n    x = 1\n",
        ),
        (
            "missing-timeout",
            "import requests\nsession.get(url, timeout=5, verify=v)\n",
            "import requests\nsession.get(url, verify=v)\n",
        ),
        (
            "lost-raise",
            "def f(x):\n    if x:\n        raise E(x)\n",
            "def f(x):\n    if x:\n        E(x)\n",
        ),
        (
            "sql-concatenation",
            'db.execute("SELECT a FROM b WHERE c = ?", (name,))\n',
            'db.execute("SELECT a FROM b WHERE c = \'" + name + "\'")\n',
        ),
        ("eval", "x = json.loads(text)\n", "x = eval(text)\n"),
        (
            "shell",
            'def f(p):\n    subprocess.run(["wc", "-l", p], check=True)\n',
            'def f(p):\n    subprocess.run(f"wc -l {p}", shell=True, check=True)\n',
        ),
        (
            "unsafe-deserialisation",
            "import json\n\nx = json.loads(text)\n",
            "import pickle\nimport json\n\nx = pickle.loads(text)\n",
        ),
        ("html-escape", "x = html.escape(name)\n", "x = name\n"),
        ("regex-escape", "p = re.compile(re.escape(x))\n", "p = re.compile(x)\n"),
        (
            "path-check",
            (
                "def f(root, name):\n    path = root / name\n"
                "    if not path.is_relative_to(root):\n        raise E\n    return open(path)\n"
            ),
            "def f(root, name):\n    path = root / name\n    return open(path)\n",
        ),
        (
            "open-redirect",
            (
                "def f(to):\n    if urlsplit(to).netloc:\n        return home()\n"
                "    return redirect(to)\n"
            ),
            "def f(to):\n    return redirect(to)\n",
        ),
        (
            "identity-comparison",
            'def f(x):\n    return x == "all"\n',
            'def f(x):\n    return x is "all"\n',
        ),
        (
            "negated-condition",
            "def f(x):\n    if not x:\n        return 1\n",
            "def f(x):\n    if x:\n        return 1\n",
        ),
        (
            "boolean-operator",
            "def f(a, b):\n    if a and b:\n        return 1\n",
            "def f(a, b):\n    if a or b:\n        return 1\n",
        ),
        ("lost-return", "def f(x):\n    return g(x)\n", "def f(x):\n    g(x)\n"),
        ("ignored-result", "text = text.strip()\n", "text.strip()\n"),
        ("float-equality", "x = math.isclose(a, b)\n", "x = a == b\n"),
        ("float-equality", "x = abs(a - b) < 1e-9\n", "x = a == b\n"),
        ("integer-division", "x = sum(xs) / len(xs)\n", "x = sum(xs) // len(xs)\n"),
        (
            "arithmetic-operator",
            "def f(a, b):\n    return a - b\n",
            "def f(a, b):\n    return a + b\n",
        ),
        (
            "swapped-arguments",
            "def move(source, target): pass\n\ndef f(source, target):\n    move(source, target)\n",
            "def move(source, target): pass\n\ndef f(source, target):\n    move(target, source)\n",
        ),
        (
            "mutable-default",
            "def f(x, xs=None):\n    if xs is None:\n        xs = []\n    xs.append(x)\n",
            "def f(x, xs=[]):\n    xs.append(x)\n",
        ),
        (
            "late-binding",
            "for n in names:\n    add(lambda n=n: call(n))\n",
            "for n in names:\n    add(lambda: call(n))\n",
        ),
        (
            "modified-while-iterating",
            "for k in list(d):\n    del d[k]\n",
            "for k in d:\n    del d[k]\n",
        ),
        (
            "missing-lock",
            "class A:\n    def f(self):\n        with self._lock:\n            self.n += 1\n",
            "class A:\n    def f(self):\n        self.n += 1\n",
        ),
        (
            "weak-hash",
            "def token_name(token):\n    return hashlib.sha256(token)\n",
            "def token_name(token):\n    return hashlib.md5(token)\n",
        ),
        ("tls-off", "get(url, verify=True)\n", "get(url, verify=False)\n"),
        (
            "insecure-random",
            "import secrets\nx = secrets.choice(xs)\n",
            "import random\nimport secrets\nx = random.choice(xs)\n",
        ),
        (
            "timing-compare",
            "if not hmac.compare_digest(a, b):\n    pass\n",
            "if a != b:\n    pass\n",
        ),
        (
            "temp-file",
            "import os\n\nfolder = tempfile.mkdtemp()\n",
            "import os\n\nfolder = tempfile.mktemp()\nos.mkdir(folder)\n",
        ),
        ("debug-mode", "app.run(debug=False)\n", "app.run(debug=True)\n"),
        (
            "xml-entities",
            "parser.setFeature(feature_external_ges, False)\n",
            "parser.setFeature(feature_external_ges, True)\n",
        ),
        ("permissions", "os.chmod(p, 0o600)\n", "os.chmod(p, 0o666)\n"),
        (
            "list-membership",
            (
                "def f(xs):\n    seen = set()\n    for x in xs:\n        if x not in seen:\n"
                "            seen.add(x)\n"
            ),
            (
                "def f(xs):\n    seen = []\n    for x in xs:\n        if x not in seen:\n"
                "            seen.append(x)\n"
            ),
        ),
        (
            "list-queue",
            "def f(a):\n    q = deque([a])\n    while q:\n        q.popleft()\n",
            "def f(a):\n    q = list([a])\n    while q:\n        q.pop(0)\n",
        ),
        (
            "query-in-loop",
            'def f(db, rows):\n    db.executemany("INSERT INTO a VALUES (?)", rows)\n',
            (
                "def f(db, rows):\n    for row in rows:\n"
                '        db.execute("INSERT INTO a VALUES (?)", row)\n'
            ),
        ),
        (
            "string-building",
            (
                "def f(xs):\n    parts = []\n    for x in xs:\n        parts.append(str(x))\n"
                '    return "".join(parts)\n'
            ),
            (
                'def f(xs):\n    parts = ""\n    for x in xs:\n        parts += str(x)\n'
                "    return parts\n"
            ),
        ),
        (
            "loop-invariant",
            "def f(xs, t):\n    p = re.compile(t)\n    for x in xs:\n        p.match(x)\n",
            "def f(xs, t):\n    for x in xs:\n        p = re.compile(t)\n        p.match(x)\n",
        ),
    ],
)
def test_python(operator: str, before: str, after: str) -> None:
    check(operator, before, after)


@pytest.mark.parametrize(
    ("operator", "before", "after"),
    [
        ("js-loose-equality", "x = a === b;\n", "x = a == b;\n"),
        ("js-loose-equality", "x = nullable === lengths;\n", "x = nullable == lengths;\n"),
        ("js-loose-equality", 'x = a !== "";\n', 'x = a != "";\n'),
        ("js-loose-equality", "x = a === '0';\n", "x = a == '0';\n"),
        (
            "js-negated-condition",
            "function f(a) { if (!a) { return 1; } }\n",
            "function f(a) { if (a) { return 1; } }\n",
        ),
        (
            "js-boolean-operator",
            "function f(a, b) { return a && b; }\n",
            "function f(a, b) { return a || b; }\n",
        ),
        (
            "js-index-bound",
            "function f(xs) { for (let i = 0; i < xs.length; i++) { g(xs[i]); } }\n",
            "function f(xs) { for (let i = 0; i <= xs.length; i++) { g(xs[i]); } }\n",
        ),
        (
            "js-lost-return",
            "xs.map((x) => { return x * 2; });\n",
            "xs.map((x) => { x * 2; });\n",
        ),
        ("js-ignored-result", "s = s.trim();\n", "s.trim();\n"),
        (
            "js-swapped-arguments",
            "function f(a, b) {}\nfunction g(a, b) { f(a, b); }\n",
            "function f(a, b) {}\nfunction g(a, b) { f(b, a); }\n",
        ),
        ("js-numeric-sort", "xs.sort((a, b) => a - b);\n", "xs.sort();\n"),
        ("js-parse-int", "x = parseInt(s, 10);\n", "x = parseInt(s);\n"),
        ("js-parse-int", "xs.map((s) => parseInt(s, 10));\n", "xs.map(parseInt);\n"),
        (
            "js-arithmetic",
            "function f(a, b) { return a - b; }\n",
            "function f(a, b) { return a + b; }\n",
        ),
        (
            "js-missing-await",
            "async function f() { await g(); }\n",
            "async function f() { g(); }\n",
        ),
        (
            "js-async-foreach",
            "async function f(xs) { for (const x of xs) { await g(x); } }\n",
            "async function f(xs) { xs.forEach(async (x) => { await g(x); }); }\n",
        ),
        (
            "js-var-closure",
            "for (let i = 0; i < 3; i++) { add(() => i); }\n",
            "for (var i = 0; i < 3; i++) { add(() => i); }\n",
        ),
        (
            "js-null-check",
            "function f(a) {\n  if (!a) {\n    return 0;\n  }\n  return a.b;\n}\n",
            "function f(a) {\n  return a.b;\n}\n",
        ),
        ("js-null-check", "x = a?.b;\n", "x = a.b;\n"),
        ("js-falsy-default", "x = a ?? 5;\n", "x = a || 5;\n"),
        (
            "js-swallowed-error",
            "try { f(); } catch (error) { throw new E(error); }\n",
            "try { f(); } catch {}\n",
        ),
        (
            "js-resource-leak",
            (
                "function f() {\n  const h = open();\n  try {\n    h.read();\n  } finally {\n"
                "    h.close();\n  }\n}\n"
            ),
            "function f() {\n  const h = open();\n  h.read();\n}\n",
        ),
        (
            "js-division-guard",
            "function f(n) {\n  if (n === 0) {\n    return 0;\n  }\n  return 1 / n;\n}\n",
            "function f(n) {\n  return 1 / n;\n}\n",
        ),
        (
            "js-lost-throw",
            "if (a) { throw new E(); }\n",
            "if (a) { new E(); }\n",
        ),
        ("js-inner-html", "e.textContent = x;\n", "e.innerHTML = x;\n"),
        ("js-inner-html", "x = escapeHtml(a);\n", "x = a;\n"),
        ("js-eval", "x = JSON.parse(s);\n", 'x = eval("(" + s + ")");\n'),
        (
            "js-sql-template",
            'db.query("SELECT a FROM b WHERE c = $1", [d.e]);\n',
            "db.query(`SELECT a FROM b WHERE c = '${d.e}'`);\n",
        ),
        (
            "js-command",
            'execFile("ls", ["-l", p]);\n',
            "execFile(`ls -l ${p}`, [], { shell: true });\n",
        ),
        (
            "js-prototype",
            'function f(t, k, v) {\n  if (k === "__proto__") {\n    return;\n  }\n  t[k] = v;\n}\n',
            "function f(t, k, v) {\n  t[k] = v;\n}\n",
        ),
        ("js-regex-input", "new RegExp(escapeRegExp(x));\n", "new RegExp(x);\n"),
        ("js-random-token", "x = randomUUID();\n", "x = Math.random().toString(36).slice(2);\n"),
        ("js-tls-off", "f({ rejectUnauthorized: true });\n", "f({ rejectUnauthorized: false });\n"),
        (
            "js-path-check",
            (
                "function f(p) {\n  if (!p.startsWith(root)) {\n    throw new E();\n  }\n"
                "  return readFile(p);\n}\n"
            ),
            "function f(p) {\n  return readFile(p);\n}\n",
        ),
        (
            "js-weak-hash",
            'function sign(t) { return createHash("sha256").update(t); }\n',
            'function sign(t) { return createHash("md5").update(t); }\n',
        ),
        ("js-timing-compare", "x = timingSafeEqual(a, b);\n", "x = a.equals(b);\n"),
        (
            "js-open-redirect",
            "function f(u) {\n  if (u.origin !== own) {\n    return;\n  }\n  r.redirect(u);\n}\n",
            "function f(u) {\n  r.redirect(u);\n}\n",
        ),
        (
            "js-list-membership",
            "function f(xs, ys) { const s = new Set(ys); return xs.filter((x) => s.has(x)); }\n",
            "function f(xs, ys) { const s = [...ys]; return xs.filter((x) => s.includes(x)); }\n",
        ),
        (
            "js-query-in-loop",
            (
                "async function f(ids) {\n"
                '  const r = await db.query("SELECT a WHERE b = ANY($1)", [ids]);\n}\n'
            ),
            (
                "async function f(ids) {\n  const r = [];\n  for (const one of ids) {\n"
                '    r.push(...(await db.query("SELECT a WHERE b = $1", [one])));\n  }\n}\n'
            ),
        ),
        (
            "js-sequential-await",
            "async function f(xs) {\n  return await Promise.all(xs.map((x) => g(x)));\n}\n",
            (
                "async function f(xs) {\n  const results = [];\n  for (const x of xs) {\n"
                "    results.push(await g(x));\n  }\n  return results;\n}\n"
            ),
        ),
    ],
)
def test_javascript(operator: str, before: str, after: str) -> None:
    check(operator, before, after)


@pytest.mark.parametrize(
    ("operator", "code"),
    [
        ("range-bound", "for i in range(len(xs)):\n    print(i)\n"),
        ("slice-bound", "LAST = xs[-1]\n"),
        ("identity-comparison", "def f(x):\n    return x == 0\n"),
        ("boolean-operator", "def f(x):\n    y = x or 5\n"),
        ("broad-except", "try:\n    f()\nexcept KeyError:\n    raise\n"),
        ("ignored-result", "y = text.strip()\n"),
        ("integer-division", "path = folder / name\n"),
        ("late-binding", "add(lambda n=n: call(n))\n"),
        ("list-membership", "def f(xs):\n    s = set(xs)\n    return 3 in s\n"),
        ("lost-return", "def f():\n    return None\n"),
        ("missing-await", "async def f():\n    return await g()\n"),
        ("modified-while-iterating", "for k in list(d):\n    print(d[k])\n"),
        ("mutable-default", "def f(x=None):\n    if x is None:\n        x = now()\n"),
        ("sql-concatenation", 'db.execute("SELECT 1")\n'),
        ("swapped-arguments", "def f(a, b): pass\n\ndef g(x, y):\n    f(x, y)\n"),
        ("weak-hash", "def etag(body):\n    return hashlib.sha256(body)\n"),
        ("missing-timeout", "import httpx\nsession.get(url, timeout=5)\n"),
        ("missing-timeout", "import requests\nrequests.get(url, timeout=None)\n"),
        ("js-loose-equality", "x = a === null || b.length === 0;\n"),
        ("js-loose-equality", "x = (typeof a) === b || typeof(a) !== c;\n"),
        ("js-loose-equality", "x = a === void 0 || undefined === b;\n"),
        ("js-loose-equality", 'x = key === "constructor";\n'),
        ("js-async-foreach", "for (const x of xs) { if (await f(x)) { break; } }\n"),
        ("js-var-closure", "for (let i = 0; i < 3; i++) { add(i); }\n"),
        ("js-numeric-sort", "xs.sort((a, b) => a.name.localeCompare(b.name));\n"),
    ],
)
def test_leaves_alone(operator: str, code: str) -> None:
    check_no(operator, code)


def test_there_are_enough_and_each_is_explained() -> None:
    families = [operator.family for operator in all_operators()]
    assert families.count("python") >= 25
    assert families.count("javascript") >= 10
    assert all(len(operator.about) > 20 for operator in all_operators())
    assert {operator.category for operator in all_operators()} == {
        "correctness",
        "security",
        "performance",
    }


def test_each_operator_has_two_places_in_the_fixtures() -> None:
    counts = dict.fromkeys((operator.id for operator in all_operators()), 0)
    for seed in own_seeds():
        counts[seed.operator.id] += 1
    assert {name: count for name, count in counts.items() if count < 2} == {}


def test_the_rules_exist() -> None:
    from sirdab.review.rules import rule_named

    unknown = {
        operator.id: operator.rules[0]
        for operator in all_operators()
        if rule_named(operator.rules[0]) is None
    }
    assert unknown == {}


def test_the_lines_of_a_defect_are_those_of_the_mutated_text() -> None:
    code = "import hashlib\n\n\ndef f(text):\n    x = 1\n    return json.loads(text)\n"
    (seed,) = seeds_of("a.py", code, "python", [_named("unsafe-deserialisation")])
    assert seed.lines == ((6, 6),), "the import above it moves it down and is no part of it"
    assert "pickle.loads" in seed.text.split("\n")[6]


def test_the_lines_of_what_was_taken_away_are_those_where_it_shows() -> None:
    code = "def f(xs):\n    if not xs:\n        return 0\n    y = 1\n    return y / len(xs)\n"
    (seed,) = seeds_of("a.py", code, "python", [_named("division-guard")])
    assert seed.lines == ((2, 2),)
    assert seed.text.split("\n")[2] == "    return y / len(xs)"


def test_seeds_have_names_of_their_own() -> None:
    names = [seed.id for seed in own_seeds()]
    assert len(set(names)) == len(names)


def test_code_that_cannot_be_parsed_gets_no_defect_that_breaks_it_more() -> None:
    source = Source("def f(:\n    x = a == 'long'\n", "python")
    for operator in all_operators():
        if "python" in LANGUAGES[operator.family]:
            for mutation in operator.sites(source):
                mutate(source, mutation)


def _named(name: str) -> Operator:
    operator = operator_named(name)
    assert operator is not None
    return operator
