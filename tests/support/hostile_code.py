"""Documents that are made to keep whoever looks at them busy; each grows with a number."""

from collections.abc import Callable

Make = Callable[[int], str]

PYTHON: dict[str, Make] = {
    "equal sums": lambda n: "a = a + a\n" * n,
    "equal sums in a function": lambda n: "def f(a):\n" + "    a = a + a\n" * n,
    "calls": lambda n: "f(a)\n" * n,
    "opened files": lambda n: "def f(p):\n" + "    a = open(p)\n" * n,
    "growing texts": lambda n: "def f(p):\n    s = ''\n    for x in p:\n" + "        s += x\n" * n,
    "opening brackets": lambda n: "([{" * n,
    "nested brackets": lambda n: "(" * n + ")" * n,
    "nested branches": lambda n: (
        "".join(" " * i + "if a:\n" for i in range(min(n, 300))) + " " * 300 + "pass\n"
    ),
    "nested functions": lambda n: (
        "".join(" " * i + f"def f{i}(a):\n" for i in range(min(n, 300))) + " " * 300 + "return a\n"
    ),
    "one condition": lambda n: "x = " + " and ".join(["a"] * n) + "\n",
    "one sum": lambda n: "x = " + " + ".join(["a"] * n) + "\n",
    "one chain of calls": lambda n: "x = a" + ".b()" * n + "\n",
    "functions": lambda n: "".join(
        f"def f{i}(a, b=None):\n    return f{i + 1}(b, a)\n" for i in range(n)
    ),
    "methods": lambda n: (
        "class A:\n"
        + "".join(
            f"    def f{i}(self, a):\n        self.a{i} = a\n        return self.f{i + 1}(a)\n"
            for i in range(n // 2)
        )
    ),
    "parameters": lambda n: "def f(" + ", ".join(f"a{i}=None" for i in range(n)) + "):\n    f()\n",
    "unterminated strings": lambda n: "x = 'a\n" * n,
    "unterminated text": lambda n: "x = '''" + "a = 'b\n" * n,
    "elif": lambda n: (
        "if a == 0:\n    b = 1\n"
        + "".join(f"elif a == {i}:\n    b = {i}\n" for i in range(1, n // 2))
    ),
    "one dict": lambda n: "x = {" + ", ".join(f"'k{i}': {i}" for i in range(n)) + "}\n",
    "returns": lambda n: "def f(a):\n" + "    return a\n" * n,
    "raises": lambda n: "raise a\n" * n,
    "handlers": lambda n: "try:\n    f()\n" + "except A:\n    pass\n" * n,
    "swallowed errors": lambda n: "try:\n    f()\nexcept A:\n    pass\n" * (n // 2),
    "names in a circle": lambda n: "".join(f"a{i} = a{(i + 1) % n}\n" for i in range(n)),
    "divisions": lambda n: "def f(a, b):\n    if b == 0:\n        return\n" + "    a = a / b\n" * n,
    "queries": lambda n: "def f(a):\n" + "    q = 'select * from ' + a\n    c.execute(q)\n" * n,
    "patterns": lambda n: "def f(a):\n" + "    re.match('x' + a, a)\n" * n,
    "locks": lambda n: (
        "class A:\n    def __init__(self):\n        self.lock = threading.Lock()\n"
        + "    def f(self):\n        with self.lock:\n            self.n += 1\n"
        "    def g(self):\n        self.n += 1\n" * (n // 6)
    ),
    "assertions": lambda n: "assert a == a\n" * n,
    "awaits": lambda n: "async def f(a):\n" + "    await g(a)\n    g(a)\n" * (n // 2),
    "javascript": lambda n: "function f(a) { return a && a.b; }\n" * (n // 2),
}  # fmt: skip

SCRIPT: dict[str, Make] = {
    "equal sums": lambda n: "a = a + a;\n" * n,
    "equal sums in a function": lambda n: "function f(a) {\n" + "a = a + a;\n" * n + "}\n",
    "calls": lambda n: "f(a);\n" * n,
    "opening brackets": lambda n: "([{" * n,
    "nested arrays": lambda n: "[" * n + "]" * n,
    "blocks": lambda n: "{" * n + "}" * n,
    "one condition": lambda n: "x = " + " && ".join(["a"] * n) + ";\n",
    "conditions of another language": lambda n: "x = " + " and ".join(["a"] * n) + ";\n",
    "one sum": lambda n: "x = " + " + ".join(["a"] * n) + ";\n",
    "one choice": lambda n: "x = " + "a ? b : " * n + "c;\n",
    "one chain of calls": lambda n: "x = a" + ".b()" * n + ";\n",
    "functions": lambda n: "".join(
        f"function f{i}(a, b) {{ return f{i + 1}(b, a); }}\n" for i in range(n)
    ),
    "nested callbacks": lambda n: "a(() => {" * n + "})" * n,
    "parameters": lambda n: "function f(" + ", ".join(f"a{i} = 1" for i in range(n)) + ") { f(); }",
    "unterminated strings": lambda n: "x = 'a\n" * n,
    "unterminated templates": lambda n: "x = `" + "a = ${b\n" * (n // 4),
    "else if": lambda n: (
        "if (a == 0) { b = 1; }\n"
        + "".join(f"else if (a == {i}) {{ b = {i}; }}\n" for i in range(1, n // 2))
    ),
    "one object": lambda n: "x = {" + ", ".join(f"'k{i}': {i}" for i in range(n)) + "};\n",
    "returns": lambda n: "function f(a) {\n" + "return a;\n" * n + "}",
    "breaks": lambda n: "break;\n" * n,
    "cases": lambda n: "switch (a) {" + "case 1: b = 2; break;\n" * (n // 2) + "}",
    "pages": lambda n: "function f(a) {" + "e.innerHTML = '<p>' + a;\n" * n + "}",
    "keys": lambda n: "function f(a, k) {" + "a[k] = a[k] || {};\n" * n + "}",
    "opened files": lambda n: "function f(p) {" + "const a = fs.openSync(p);\n" * n + "}",
    "divisions": lambda n: "function f(a, b) { if (b === 0) return;\n" + "a = a / b;\n" * n + "}",
    "queries": lambda n: (
        "function f(a) {" + "q = 'select * from t where ' + a; c.query(q);\n" * n + "}"
    ),
    "types": lambda n: "function f(a: string, b: number): string { return a; }\n" * (n // 2),
    "python": lambda n: "".join(
        f"def f{i}(a, b=None):\n    if a:\n        return b\n    return f{i + 1}(b, a)\n\n"
        for i in range(n // 2)
    ),
}  # fmt: skip

HOSTILE: dict[str, dict[str, Make]] = {
    "python": PYTHON,
    "javascript": SCRIPT,
    "typescript": SCRIPT,
}
"""By language, the documents by name."""
