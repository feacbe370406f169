"""Structural signs: each is seen where the defect is, and not in code that looks like it.

Lines that end with `# SIGN` or `// SIGN` are those that have to show the rule's sign; all others
must not.
"""

import textwrap

import pytest

from sirdab.review import rules, units
from sirdab.review.signs import registry
from sirdab.review.tree import MAX_NODES
from sirdab.text.store import Text

ALL = ("correctness", "security", "performance")
_MARKS = ("# SIGN", "// SIGN")


def shown(content: str, language: str) -> dict[str, set[int]]:
    """Return the rules whose signs a document shows, with the lines, counted from 0."""
    found: dict[str, set[int]] = {}
    for unit in units.split(Text(content), language):
        for rule, lines in rules.candidates(unit, language, ALL).items():
            found.setdefault(rule.id, set()).update(unit.first + line for line in lines)
    return found


def check_sign(rule: str, code: str, language: str = "python") -> None:
    """Check that a rule's sign is seen in the marked lines and nowhere else."""
    lines = textwrap.dedent(code).strip("\n").split("\n")
    marked = {row for row, line in enumerate(lines) if line.rstrip().endswith(_MARKS)}
    plain = [line.split(" # SIGN")[0].split(" // SIGN")[0] for line in lines]
    content = "\n".join(plain) + "\n"
    assert shown(content, language).get(rule, set()) == marked, content


PYTHON: list[tuple[str, str]] = [
    (
        "mutable-default",
        """
        def add(item, items=[]):  # SIGN
            items.append(item)
            return items

        def count(word, *, known={}):  # SIGN
            known[word] = known.get(word, 0) + 1

        def show(items=[]):
            for item in items:
                print(item)

        def keep(items=()):
            return items
        """,
    ),
    (
        "swapped-arguments",
        """
        def copy(source, target):
            return source, target

        class Box:
            def put(self, key, value):
                return key, value

            def both(self, key, value):
                self.put(value, key)  # SIGN
                self.put(key, value)
                return self.put(value, value)

        def run(source, target):
            copy(target, source)  # SIGN
            copy(source, target)
            copy(source, source)
            copy(other.target, other.source)  # SIGN
            if same(source, target) or same(target, source):
                return copy(target, 1)

        def same(source, target):
            return source is target
        """,
    ),
    (
        "falsy-default",
        """
        def wait(seconds: float | None = None, name: str | None = None, count=None, tries: int = 0):
            pause = seconds or 5  # SIGN
            title = name or "nobody"
            if not tries:  # SIGN
                tries = 3
            if not count:
                return None
            if seconds or name:
                return pause
            return count or 10  # SIGN
        """,
    ),
    (
        "missing-await",
        """
        import asyncio

        async def load(name):
            return name

        async def rows():
            yield 1

        class Store:
            async def flush(self):
                return 1

            async def close(self):
                self.flush()  # SIGN
                await self.flush()

        async def main(client):
            load("a")  # SIGN
            value = load("b")  # SIGN
            print(len(value))
            task = load("c")
            await task
            asyncio.create_task(load("d"))
            await asyncio.gather(load("e"), load("f"))
            async for row in rows():
                print(row)
            if load("g"):  # SIGN
                asyncio.sleep(1)  # SIGN
            await client.get("x")
            client.get("y")  # SIGN
            client.close()
            return load("h")

        def plain():
            return load("i")
        """,
    ),
    (
        "lost-task",
        """
        import asyncio

        async def main(tasks, group):
            asyncio.create_task(work())  # SIGN
            tasks.add(asyncio.create_task(work()))
            task = asyncio.create_task(work())
            await task
        """,
    ),
    (
        "blocking-call",
        """
        import time, asyncio

        def read(path):
            with open(path) as file:
                return file.read()

        async def main(path):
            time.sleep(1)  # SIGN
            text = read(path)  # SIGN
            await asyncio.to_thread(read, path)
            return path.read_text()  # SIGN

        def other():
            time.sleep(1)
        """,
    ),
    (
        "sequential-await",
        """
        async def all_of(names):
            found = []
            for name in names:
                found.append(await load(name))  # SIGN
            return found

        async def first(names):
            for name in names:
                if await load(name):
                    return name
        """,
    ),
    (
        "none-dereference",
        """
        import re

        def at_once(text, table):
            one = re.match("a", text).group()  # SIGN
            two = table.get(text).name  # SIGN
            three = table.get(text, "").strip()
            return one, two, three

        def later(text, table):
            found = re.search("b", text)
            return found.group()  # SIGN

        def asked(text, table):
            found = re.search("b", text)
            if found is None:
                return None
            entry = table.get(text)
            return found.group() + (entry.name if entry else "")

        def caught(table):
            entry = table.get("a")
            try:
                return entry.name
            except AttributeError:
                return None

        def given(user=None, rows: list | None = None):
            rows = rows or []
            rows.append(1)
            return user.name  # SIGN

        def session(session):
            return session.get("http://localhost/").json()

        def find(names):
            if names:
                return names[0]
            return None

        def use(names):
            return find(names).upper()  # SIGN
        """,
    ),
    (
        "inverted-condition",
        """
        def one(user, seen, name, counts):
            if not user:  # SIGN
                return user.name()
            if not user:
                return user.name
            if user is None:
                user = make()
            if name in seen:  # SIGN
                seen.add(name)
            if name not in counts:
                counts[name] = 0
            if name not in counts:  # SIGN
                return counts[name]
            return user.name if user is None else ""  # SIGN

        def two(user):
            if user is not None:  # SIGN
                return None
            return user.name

        def three(user):
            if user is None:
                return None
            return user.name

        def four(items):
            while not items:
                items.append(1)
        """,
    ),
    (
        "wrong-operator",
        """
        def check(user, number, low, high, name):
            if user is None and user.name:  # SIGN
                return 1
            if user is not None and user.name:
                return 2
            if user is not None or user.name:  # SIGN
                return 3
            if number < low and number > high:  # SIGN
                return 4
            if number < low or number > high:
                return 5
            if name != "a" or name != "b":  # SIGN
                return 6
            if name != "a" and name != "b":
                return 7
            if name == "a" or name == "b":
                return 8

        def total(parts):
            total = 0
            for part in parts:
                total -= part  # SIGN
            return total

        def difference(one, other):
            return one + other  # SIGN

        def area(width, height):
            return width * height
        """,
    ),
    (
        "division-by-zero",
        """
        def mean(values):
            return sum(values) / len(values)  # SIGN

        def guarded(values):
            if not values:
                return 0
            return sum(values) / len(values)

        def inline(values):
            return sum(values) / len(values) if values else 0

        def floored(values):
            return sum(values) / max(1, len(values))

        def counted(values):
            count = 0
            for value in values:
                count += 1
            return sum(values) / count  # SIGN

        def caught(values):
            try:
                return 1 / len(values)
            except ZeroDivisionError:
                return 0

        def within(values):
            for value in values:
                print(value / len(values))

        def path(folder, name):
            return folder / name

        def text(count):
            return "%d items" % count

        def rate(hits, total):
            return hits / total  # SIGN
        """,
    ),
    (
        "off-by-one",
        """
        def over(xs):
            for i in range(len(xs) + 1):  # SIGN
                print(xs[i])
            for i in range(len(xs) - 1):
                print(xs[i], xs[i + 1])
            for i in range(len(xs)):  # SIGN
                print(xs[i + 1])
            for i in range(len(xs) + 1):
                print(xs[:i])
            return xs[len(xs)]  # SIGN

        def short(xs):
            for i in range(1, len(xs)):  # SIGN
                print(xs[i])

        def pairs(xs):
            for i in range(1, len(xs)):
                print(xs[i] - xs[i - 1])

        def bound(xs, i, n):
            while i <= len(xs):  # SIGN
                print(xs[i])
                i += 1
            while i < len(xs):
                i += 1
            return xs[i : i + n - 1]  # SIGN

        def slices(xs, n):
            return xs[:-1], xs[: len(xs) - 1], xs[1:n]
        """,
    ),
    (
        "float-equality",
        """
        import math

        def same(a: float, b: float, n: int):
            if a == b:  # SIGN
                return 1
            if a == 0.0 or n == 1:
                return 2
            if a / 3 == b:  # SIGN
                return 3
            if a == math.nan:  # SIGN
                return 4
            if a == int(a):
                return 5
        """,
    ),
    (
        "integer-division",
        """
        def average(values):
            return sum(values) // len(values)  # SIGN

        def share(part: float, whole: float) -> float:
            percent = part * 100 // whole  # SIGN
            middle = (1 + 9) // 2
            return f"{part // 3:.2f}", percent, middle  # SIGN
        """,
    ),
    (
        "missing-return",
        """
        def one(a, b):
            if a:
                return b
            a + b  # SIGN

        def two(text) -> str:
            text = text.strip()
            text.upper()  # SIGN

        def three(items):
            if not items:
                return []
            sorted(items)  # SIGN

        def four(items):
            if not items:
                return None
            items.sort()

        def five(self, key):
            try:
                self[key]
            except KeyError:
                return False
            return True

        def six():
            "A docstring."

        def seven():
            yield 1
        """,
    ),
    (
        "ignored-result",
        """
        import os

        def one(text, names, path):
            text.strip()  # SIGN
            text.replace("a", "b")  # SIGN
            sorted(names)  # SIGN
            names.sort()
            os.replace(path, path)
            text = text.strip()
            try:
                text.encode("ascii")
            except UnicodeError:
                return None
            return text
        """,
    ),
    (
        "late-binding",
        """
        def make(names, later):
            actions = []
            for name in names:
                actions.append(lambda: print(name))  # SIGN
                actions.append(lambda name=name: print(name))
                actions.append(lambda: print("fixed"))
                later(lambda: name)  # SIGN
                names = sorted(names, key=lambda other: other == name)
                def run():  # SIGN
                    print(name)
                actions.append(run)
            return actions
        """,
    ),
    (
        "modified-while-iterating",
        """
        def clean(items, table):
            for item in items:  # SIGN
                if not item:
                    items.remove(item)
            for key in table:  # SIGN
                if not table[key]:
                    del table[key]
            for item in list(items):
                items.remove(item)
            for item in items:
                if not item:
                    items.remove(item)
                    break
        """,
    ),
    (
        "identity-comparison",
        """
        def f(name, number):
            if name is "a":  # SIGN
                return 1
            if number is not -1:  # SIGN
                return 2
            if name is None or number is True:
                return 3
        """,
    ),
    (
        "self-comparison",
        """
        def f(a, b, box):
            if a == a:  # SIGN
                return 1
            if a != a:
                return 2
            if box.x >= box.x:  # SIGN
                return 3
            b = b  # SIGN
            return a + a
        """,
    ),
    (
        "duplicate-branch",
        """
        def f(a, b):
            if a == 1:
                return b
            elif a == 1:  # SIGN
                return a
            if a > b:  # SIGN
                result = compute(a)
            else:
                result = compute(a)
            if a == 2:
                return {"x": 1, "y": 2, "x": 3}  # SIGN
            elif a == 3:
                return b
        """,
    ),
    (
        "dead-code",
        """
        def f(a):
            if a:
                return 1
                print(a)  # SIGN
            for b in a:
                continue
                print(b)  # SIGN
            return 2

        def empty():
            return
            yield
        """,
    ),
    (
        "unused-value",
        """
        def f(a):
            value = a + 1  # SIGN
            value = a + 2
            value = value + 3
            other = a
            print(other)
            other = 2
            return value
        """,
    ),
    (
        "exception-not-raised",
        """
        class OutOfStock(Exception):
            pass

        def f(a):
            if not a:
                ValueError("a is missing")  # SIGN
            OutOfStock(a)  # SIGN
            raise ValueError(a)
        """,
    ),
    (
        "swallowed-error",
        """
        def e(path):
            try:
                return parse(path)
            except ValueError:  # SIGN
                pass

        def f(path):
            try:
                return parse(path)
            except Exception:  # SIGN
                return None
            try:
                path.unlink()
            except OSError:
                pass
            try:
                import fast
            except ImportError:
                pass
            try:
                return parse(path)
            except ValueError as error:
                log(error)
        """,
    ),
    (
        "broad-except",
        """
        def f(text):
            try:
                return int(text)
            except Exception:  # SIGN
                return 0
            try:
                return int(text)
            except ValueError:
                return 0
            try:
                run(text)
            except Exception as error:
                log.error(error)
            try:
                run(text)
            except Exception:
                clean()
                raise
        """,
    ),
    (
        "resource-leak",
        """
        import json, sqlite3
        from contextlib import closing

        def one(path):
            file = open(path)  # SIGN
            return json.load(file)

        def two(path):
            with open(path) as file:
                return file.read()

        def three(path):
            file = open(path)
            try:
                return file.read()
            finally:
                file.close()

        def four(path):
            return open(path)

        def five(path):
            return open(path).read()  # SIGN

        def six(path):
            with closing(sqlite3.connect(path)) as connection:
                return connection

        class Box:
            def __init__(self, path):
                self.file = open(path)
        """,
    ),
    (
        "missing-timeout",
        """
        import requests
        from urllib.request import urlopen

        def f(url, options):
            requests.get(url)  # SIGN
            requests.get(url, timeout=5)
            requests.post(url, **options)
            urlopen(url)  # SIGN
            urlopen(url, None, 5)
        """,
    ),
    (
        "missing-lock",
        """
        import threading

        class Counter:
            def __init__(self):
                self._lock = threading.Lock()
                self._counts = {}

            def add(self, name):
                with self._lock:
                    self._counts[name] = 1

            def drop(self, name):
                self._counts.pop(name)  # SIGN

            def all(self):
                return dict(self._counts)  # SIGN

            def _clear_locked(self):
                self._counts.clear()

        class Free:
            def __init__(self):
                self.n = 0

            def step(self):
                self.n += 1
        """,
    ),
    (
        "quadratic-loop",
        """
        def one(first, second):
            known = list(second)
            found = []
            for item in first:
                if item in known:  # SIGN
                    found.append(item)
                if item in ("a", "b"):
                    continue
            return found

        def two(first, second):
            known = set(second)
            return [item for item in first if item in known]

        def three(queue: list):
            while queue:
                queue.pop(0)  # SIGN

        def four(items):
            result = []
            for item in items:
                result = result + [item]  # SIGN
            return result

        def five(word, known: list):
            return word in known
        """,
    ),
    (
        "query-in-loop",
        """
        def one(db, ids):
            for number in ids:
                db.execute("SELECT a FROM b WHERE id = ?", (number,))  # SIGN

        def two(db):
            for statement in ("CREATE TABLE a (b)", "CREATE TABLE c (d)"):
                db.execute(statement)

        def three(db, ids):
            db.executemany("DELETE FROM b WHERE id = ?", ids)
            for attempt in range(3):
                db.execute("SELECT 1")

        def find(db, number):
            return db.execute("SELECT a FROM b WHERE id = ?", (number,)).fetchone()

        def four(db, ids):
            return [find(db, number) for number in ids]  # SIGN
        """,
    ),
    (
        "string-building",
        """
        def one(lines):
            text = ""
            count = 0
            for line in lines:
                text += line  # SIGN
                count += 1
            return text, count

        def two(rows):
            for row in rows:
                text = "a"
                text += row
                print(text)
        """,
    ),
    (
        "loop-invariant",
        """
        import re

        def one(lines, names):
            for line in lines:
                pattern = re.compile("a+")  # SIGN
                print(pattern, sorted(line))
                print(sorted(names))  # SIGN
                if line:
                    print(sorted(names))

        def two(lines, names):
            for line in lines:
                names.append(line)
                print(max(names))
        """,
    ),
    (
        "needless-work",
        """
        def f(values, table, key):
            first = sorted(values)[0]  # SIGN
            some = any([value for value in values])  # SIGN
            known = key in table.keys()  # SIGN
            return first, some, known, sorted(values)[:3], key in table
        """,
    ),
    (
        "sql-injection",
        """
        def find(db, name, order, ids):
            db.execute("SELECT a FROM b WHERE c = '" + name + "'")  # SIGN
            db.execute(f"DELETE FROM b WHERE c = {name}")  # SIGN
            db.execute("UPDATE b SET c = '%s'" % name)  # SIGN
            db.execute("SELECT a FROM b WHERE c = ?", (name,))
            marks = ", ".join("?" for _ in ids)
            db.execute(f"SELECT a FROM b WHERE c IN ({marks})", ids)
            if order not in COLUMNS:
                raise ValueError(order)
            db.execute(f"SELECT a FROM b ORDER BY {order}")
            print(f"Please select one from {name}")
        """,
    ),
    (
        "command-injection",
        """
        import os, subprocess, shlex

        def run(name):
            os.system("ls " + name)  # SIGN
            subprocess.run(f"ls {name}", shell=True)  # SIGN
            subprocess.run(["ls", name])
            subprocess.run("git status", shell=True)
            os.system("ls " + shlex.quote(name))
        """,
    ),
    (
        "code-injection",
        """
        import ast

        def run(text, names):
            eval(text)  # SIGN
            exec("x = " + text)  # SIGN
            ast.literal_eval(text)
            model.eval()
            eval("1 + 1")
        """,
    ),
    (
        "path-traversal",
        """
        import os
        from flask import request

        def one(folder):
            return open(os.path.join(folder, request.args["name"])).read()  # SIGN

        def two(folder, filename):
            path = os.path.join(folder, filename)
            with open(path) as file:  # SIGN
                return file.read()

        def three(folder, filename):
            path = (folder / filename).resolve()
            if not path.is_relative_to(folder):
                raise ValueError(filename)
            return path.read_text()

        def four(folder):
            with open(os.path.join(folder, "fixed.txt")) as file:
                return file.read()
        """,
    ),
    (
        "open-redirect",
        """
        from flask import redirect, request
        from urllib.parse import urlsplit

        def one():
            return redirect(request.args["next"])  # SIGN

        def two():
            target = request.args.get("next", "/")
            parts = urlsplit(target)
            if parts.netloc:
                target = "/"
            return redirect(target)

        def three():
            return redirect("/login?next=" + request.path)
        """,
    ),
    (
        "cross-site-scripting",
        """
        from html import escape

        def row(name, title):
            return f"<tr><td>{name}</td><td>{escape(title)}</td></tr>"  # SIGN

        def other(name):
            return "<p>" + escape(name) + "</p>"
        """,
    ),
    (
        "regex-injection",
        """
        import re

        def find(text, word, pattern):
            re.search("^" + word, text)  # SIGN
            re.search("^" + re.escape(word), text)
            return re.search(pattern, text)
        """,
    ),
    (
        "slow-regex",
        """
        import re

        SLOW = re.compile(r"^(\\w+)+$")  # SIGN
        FAST = re.compile(r"^\\w+(\\.\\w+)*$")
        """,
    ),
    (
        "request-forgery",
        """
        import requests
        from flask import request

        def one():
            return requests.get(request.args["url"], timeout=5)  # SIGN

        def two(url):
            return requests.get(url, timeout=5)

        def three():
            return requests.get("https://localhost/" + request.args["x"], timeout=5)
        """,
    ),
    (
        "weak-hash",
        """
        import hashlib

        def store(password):
            return hashlib.md5(password).hexdigest()  # SIGN

        def etag(content):
            return hashlib.md5(content).hexdigest()

        def token(password):
            return hashlib.sha256(password).hexdigest()
        """,
    ),
    (
        "insecure-random",
        """
        import random, secrets

        def new_token():
            return "".join(random.choice("abc") for _ in range(20))  # SIGN

        def jitter():
            return random.random()

        def password():
            return secrets.token_hex()
        """,
    ),
    (
        "timing-attack",
        """
        import hmac

        def verify_signature(body, given, key):
            expected = hmac.new(key, body, "sha256").hexdigest()
            return given == expected  # SIGN

        def check(signature, expected):
            if signature is None or len(signature) == 3:
                return False
            return hmac.compare_digest(signature, expected)

        def parse(token):
            return token == "("
        """,
    ),
]

SCRIPT: list[tuple[str, str]] = [
    (
        "missing-await",
        """
        import { readFile } from "node:fs/promises";

        async function load(name) {
          return name;
        }

        async function main(store) {
          load("a"); // SIGN
          const text = readFile("b"); // SIGN
          console.log(text.length);
          await load("c");
          load("d").catch(console.error);
          void load("e");
          await store.put(1);
          store.flush(); // SIGN
          return load("f");
        }
        """,
    ),
    (
        "async-foreach",
        """
        async function main(items) {
          items.forEach(async (item) => { // SIGN
            await save(item);
          });
          await Promise.all(items.map(async (item) => save(item)));
        }
        """,
    ),
    (
        "sequential-await",
        """
        async function all(items) {
          const found = [];
          for (const item of items) {
            found.push(await load(item)); // SIGN
          }
          for (const item of items) {
            if (await load(item)) {
              return item;
            }
          }
          return found;
        }
        """,
    ),
    (
        "loose-equality",
        """
        function f(a, b) {
          if (a == b) return 1; // SIGN
          if (a == null) return 2;
          if (a === b) return 3;
          return a !== b;
        }
        """,
    ),
    (
        "none-dereference",
        """
        function f(items, text) {
          const one = items.find((item) => item.id === 1).name; // SIGN
          const two = items.find((item) => item.id === 2)?.name;
          const three = document.getElementById("x");
          three.remove(); // SIGN
          const four = text.match(/a/);
          if (!four) return null;
          return four[0];
        }
        """,
    ),
    (
        "inverted-condition",
        """
        function f(user, seen, name) {
          if (!user) { // SIGN
            return user.name;
          }
          if (seen.has(name)) { // SIGN
            seen.add(name);
          }
          if (!seen.has(name)) {
            seen.add(name);
          }
          return user === null ? user.name : ""; // SIGN
        }
        """,
    ),
    (
        "wrong-operator",
        """
        function f(user, a, b) {
          if (!user && user.name) return 1; // SIGN
          if (user && user.name) return 2;
          if (user === null || user.name) return 3;
          if (a < 1 && a > 9) return 4; // SIGN
          return a < 1 || a > 9;
        }
        """,
    ),
    (
        "off-by-one",
        """
        function f(xs, n, i) {
          for (let i = 0; i <= xs.length; i++) { // SIGN
            use(xs[i]);
          }
          for (let i = 0; i < xs.length; i++) {
            use(xs[i]);
          }
          for (let i = 0; i < xs.length - 1; i++) {
            use(xs[i], xs[i + 1]);
          }
          use(xs.slice(0, xs.length - 1));
          use(xs.slice(i, i + n - 1)); // SIGN
          return xs[xs.length]; // SIGN
        }

        function back(xs) {
          for (let i = xs.length - 1; i > 0; i--) { // SIGN
            use(xs[i]);
          }
        }
        """,
    ),
    (
        "division-by-zero",
        """
        function mean(xs) {
          return sum(xs) / xs.length; // SIGN
        }
        function guarded(xs) {
          if (xs.length === 0) return 0;
          return sum(xs) / xs.length;
        }
        """,
    ),
    (
        "missing-return",
        """
        const doubled = [1, 2].map((x) => {
          x * 2; // SIGN
        });
        function f(a) {
          if (a) return 1;
          a + 1; // SIGN
        }
        function g(a) {
          a && a.run();
        }
        """,
    ),
    (
        "ignored-result",
        """
        function f(text, items, location) {
          text.trim(); // SIGN
          items.concat([1]); // SIGN
          items.push(1);
          location.replace("/");
          text = text.trim();
          return text;
        }
        """,
    ),
    (
        "late-binding",
        """
        function f(items) {
          for (var i = 0; i < 3; i++) {
            setTimeout(() => use(i), 10); // SIGN
          }
          for (let j = 0; j < 3; j++) {
            setTimeout(() => use(j), 10);
          }
          for (var k = 0; k < 3; k++) {
            items.map((item) => item + k);
          }
        }
        """,
    ),
    (
        "modified-while-iterating",
        """
        function f(items) {
          for (let i = 0; i < items.length; i++) {
            use(items[i]);
          }
          for (const item of items) { // SIGN
            if (!item) items.splice(0, 1);
          }
          for (const item of [...items]) {
            items.splice(0, 1);
          }
        }
        """,
    ),
    (
        "assignment-in-condition",
        """
        function f(a, b) {
          if (a = b) { // SIGN
            return 1;
          }
          if ((a = next())) {
            return 2;
          }
          return a === b;
        }
        """,
    ),
    (
        "numeric-sort",
        """
        function f(values, table, names) {
          values.sort(); // SIGN
          values.sort((a, b) => a - b);
          names.sort();
          return Object.keys(table).sort();
        }
        """,
    ),
    (
        "missing-radix",
        """
        const one = parseInt(text); // SIGN
        const two = parseInt(text, 10);
        const three = texts.map(parseInt); // SIGN
        """,
    ),
    (
        "falsy-default",
        """
        function f(options, name, timeout) {
          const volume = options.volume || 50; // SIGN
          const wait = timeout || options.timeout; // SIGN
          const title = name || "nobody";
          const size = options.size ?? 10;
          return volume || wait || title || size;
        }
        """,
    ),
    (
        "swallowed-error",
        """
        function f() {
          try {
            run();
          } catch (error) { // SIGN
          }
          try {
            run();
          } catch (error) {
            console.error(error);
          }
        }
        """,
    ),
    (
        "resource-leak",
        """
        import fs from "node:fs";
        async function f(path) {
          const handle = await fs.promises.open(path); // SIGN
          return handle.read();
        }
        async function g(path) {
          const handle = await fs.promises.open(path);
          try {
            return handle.read();
          } finally {
            await handle.close();
          }
        }
        """,
    ),
    (
        "quadratic-loop",
        """
        function f(first, second) {
          const known = [...second];
          return first.filter((item) => known.includes(item)); // SIGN
        }
        function g(first, second) {
          const known = new Set(second);
          return first.filter((item) => known.has(item));
        }
        """,
    ),
    (
        "query-in-loop",
        """
        async function f(db, ids) {
          for (const id of ids) {
            await db.query("SELECT a FROM b WHERE id = $1", [id]); // SIGN
          }
          return db.query("SELECT a FROM b WHERE id = ANY($1)", [ids]);
        }
        """,
    ),
    (
        "needless-work",
        """
        function f(items, x) {
          const first = items.filter((item) => item.ok)[0]; // SIGN
          const some = items.filter((item) => item.ok).length > 0; // SIGN
          const copy = JSON.parse(JSON.stringify(x)); // SIGN
          return [first, some, copy, items.filter((item) => item.ok)];
        }
        """,
    ),
    (
        "cross-site-scripting",
        """
        function f(element, name) {
          element.innerHTML = name; // SIGN
          element.textContent = name;
          element.innerHTML = "<b>fixed</b>";
          element.innerHTML = `<b>${escapeHtml(name)}</b>`;
        }
        """,
    ),
    (
        "code-injection",
        """
        function f(text) {
          eval(text); // SIGN
          new Function("a", text); // SIGN
          return JSON.parse(text);
        }
        """,
    ),
    (
        "command-injection",
        """
        function f(name) {
          exec(`ls ${name}`); // SIGN
          execFile("ls", [name]);
          spawn(`ls ${name}`, [], { shell: true }); // SIGN
          exec("git status");
        }
        """,
    ),
    (
        "sql-injection",
        """
        function f(db, name) {
          db.query(`SELECT a FROM b WHERE c = '${name}'`); // SIGN
          return db.query("SELECT a FROM b WHERE c = $1", [name]);
        }
        """,
    ),
    (
        "prototype-pollution",
        """
        function merge(target, source) {
          for (const key in source) {
            if (typeof source[key] === "object") {
              merge(target[key], source[key]);
            } else {
              target[key] = source[key]; // SIGN
            }
          }
        }
        function safe(target, source) {
          for (const key of Object.keys(source)) {
            if (key === "__proto__") continue;
            target[key] = source[key];
            safe(target[key], source[key]);
          }
        }
        """,
    ),
    (
        "regex-injection",
        """
        function f(text, word) {
          return new RegExp("^" + word).test(text); // SIGN
        }
        function g(text, word) {
          return new RegExp("^" + escapeRegExp(word)).test(text);
        }
        """,
    ),
    (
        "insecure-random",
        """
        const token = Math.random().toString(36); // SIGN
        const delay = Math.random() * 100;
        """,
    ),
    (
        "timing-attack",
        """
        function verifyToken(given, expected) {
          return given === expected; // SIGN
        }
        function isOpen(token) {
          return token === "(";
        }
        """,
    ),
    (
        "open-redirect",
        """
        function f(req, res) {
          res.redirect(req.query.next); // SIGN
        }
        function g(req, res) {
          const target = req.query.next;
          if (!target.startsWith("/")) return;
          res.redirect(target);
        }
        """,
    ),
    (
        "duplicate-branch",
        """
        function f(a) {
          if (a === 1) {
            return 1;
          } else if (a === 1) { // SIGN
            return 2;
          }
          return { x: 1, y: 2, x: 3 }; // SIGN
        }
        """,
    ),
]


@pytest.mark.parametrize(("rule", "code"), PYTHON, ids=[rule for rule, _ in PYTHON])
def test_python(rule: str, code: str) -> None:
    check_sign(rule, code)


@pytest.mark.parametrize("language", ["javascript", "typescript"])
@pytest.mark.parametrize(("rule", "code"), SCRIPT, ids=[rule for rule, _ in SCRIPT])
def test_script(rule: str, code: str, language: str) -> None:
    check_sign(rule, code, language)


def test_every_sign_has_a_case_and_a_rule() -> None:
    used = {rule.structure for rule in rules.all_rules() if rule.structure}
    assert registry.names("python") | registry.names("javascript") == used
    assert registry.names("python") <= {rule for rule, _ in PYTHON}
    covered = {rule for rule, _ in (*PYTHON, *SCRIPT)}
    assert registry.names("javascript") <= covered


@pytest.mark.parametrize(
    ("rule", "code", "expect"),
    [
        ("identity-comparison", 'def f(a):\n    return 1, a is "x"\n', "is"),
        (
            "off-by-one",
            "def f(x):\n    for i in range(len(x) + 1):\n        x[i]\n",
            "(len(x) + 1)",
        ),
        ("off-by-one", "def f(x, i):\n    while i <= len(x):\n        x[i]\n", "<= len(x)"),
        ("wrong-operator", "def f(x):\n    if x is None and x.y:\n        f()\n", "and"),
        ("inverted-condition", "def f(x):\n    if x is None:\n        x.y()\n", "is"),
        ("insecure-random", "token = random.choice(a)\n", "random.choice"),
        ("integer-division", "def f(x):\n    return sum(x) // len(x)\n", "//"),
        ("mutable-default", "def f(a, b=[]):\n    b.append(a)\n", "b=[]"),
        ("modified-while-iterating", "for a in b:\n    b.remove(a)\n", "b"),
        ("division-by-zero", "def f(x):\n    return 2 + sum(x) / len(x)\n", "sum(x) / len(x)"),
        ("weak-cipher", "c = DES.new(key)\n", "DES.new("),
    ],
)
def test_the_stretch_that_is_wrong(rule: str, code: str, expect: str) -> None:
    found = rules.rule_named(rule)
    assert found is not None
    spans = [
        unit.lines[line][slice(*span)]
        for unit in units.split(Text(code), "python")
        for line in range(len(unit.lines))
        if (span := found.span(unit, line, "python")) is not None
    ]
    assert spans == [expect]


def test_columns_are_characters() -> None:
    (unit,) = units.split(Text('def f(a):\n    return "漢字", a is "x"\n'), "python")
    rule = rules.rule_named("identity-comparison")
    assert rule is not None
    span = rule.span(unit, 1, "python")
    assert span is not None
    assert unit.lines[1][slice(*span)] == "is"


def test_what_a_unit_calls_is_part_of_its_digest() -> None:
    code = "def load(a):\n    return a\n\n\nasync def main():\n    load(1)\n"
    before = units.split(Text(code), "python")[-1]
    after = units.split(Text(code.replace("def load", "async def load", 1)), "python")[-1]
    assert before.lines == after.lines
    assert before.digest != after.digest


@pytest.mark.parametrize(
    "code",
    [
        "(" * 3_000 + "a" + ")" * 3_000,
        "f(" * 3_000 + ")" * 3_000,
        "x = " + "a if b else " * 2_000 + "c",
        "x = " + "a + " * 20_000 + "a",
        "".join(f"{' ' * depth}for x in y:\n" for depth in range(400)) + " " * 400 + "f(x)\n",
        "".join(f"{' ' * depth}def f():\n" for depth in range(400)) + " " * 400 + "return 1\n",
        "x = [" + "[], " * 20_000 + "]",
        "x = {" + "'a': 1, " * 20_000 + "}",
        "if a:\n  pass\n" + "elif a:\n  pass\n" * 5_000,
        "def f(" + ", ".join(f"a{n}=[]" for n in range(5_000)) + "):\n  return a1\n",
        "class A:\n" + "  x = 1\n" * 20_000,
        "lambda: " * 1_500 + "1",
        "await " * 3_000 + "f()",
        "async def f():\n  " + "await " * 3_000 + "f()\n",
        "function f() { a = b; b = a; x.innerHTML = a; c = [...d]; d = [...c]; c.sort(); }",
    ],
)
@pytest.mark.parametrize("language", ["python", "javascript"])
def test_hostile_code_is_left_in_the_end(code: str, language: str) -> None:
    units.split(Text(code), language)


@pytest.mark.parametrize(
    "body",
    [
        "a" * 100_000, "( " * 50_000, '"' * 100_000, "select " * 15_000, "x = x + " * 12_000,
        "[\\w+" * 20_000, ".map(" * 20_000, " " * 100_000, "chmod(0o" * 12_000, "f'" * 50_000,
    ],
)  # fmt: skip
def test_patterns_do_not_backtrack_on_long_lines(body: str) -> None:
    for rule in rules.all_rules():
        for pattern in (*rule.signs, *rule.unit_signs, *rule.unless, *rule.unit_unless):
            pattern.search(body)


def test_a_tree_that_is_too_large_is_not_looked_at() -> None:
    (unit, *_) = units.split(Text("[" + "0," * (MAX_NODES + 10) + "0]\nx = 1\n"), "python")
    assert unit.signs is None
