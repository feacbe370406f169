import hashlib
import sqlite3
import ssl
import sys
import types
from pathlib import Path


class Loader:
    pass


def safe_load(text):
    """Read the few lines that are needed here."""
    return eval(text, {"__builtins__": {}}) if text.strip() else None  # noqa: S307


def load(text, Loader):  # noqa: N803
    raise AssertionError("this loader builds any object that a file names")


yaml = types.ModuleType("yaml")
yaml.safe_load, yaml.load, yaml.Loader = safe_load, load, Loader
sys.modules["yaml"] = yaml

import feeds  # noqa: E402
from feeds import (  # noqa: E402
    Archive,
    connect,
    count_elements,
    entry_key,
    find_feed,
    fresh,
    language_of,
    newest,
    read_filters,
    read_subscriptions,
    title_of,
    titles_of,
)
from support import Key, comparisons  # noqa: E402

feed = b"<rss>no<title> O<b>n</b>e </title><item><title>Two &amp; 3</title><x>y</x></item></rss>"
assert titles_of(feed) == ["One", "Two & 3"]
assert count_elements(feed, "title") == (2, 2 + 5 + 7 + 1)
assert count_elements(feed, "none") == (0, 15)
Path("secret.txt").write_text("top secret")
evil = (
    b'<!DOCTYPE r [<!ENTITY e SYSTEM "secret.txt">]><r><title>&e;</title></r>'
)
assert titles_of(evil) == [""], "no file is read"
assert count_elements(evil, "title") == (1, 0)

assert read_subscriptions("") == []
assert read_subscriptions("[{'url': 'a'}, {'url': 'b', 'active': False}]") == ["a"]
assert read_filters("{'filters': ['x']}") == ["x"] and read_filters("{}") == []
assert read_filters("") == []

connection = connect("example.org")
assert connection.timeout == 5
assert connection._context.verify_mode == ssl.CERT_REQUIRED

entry = {"link": "l", "title": "t"}
assert entry_key(entry) == hashlib.sha1(b"l\nt", usedforsecurity=False).hexdigest()
entries = [{"link": name, "date": date} for name, date in (("a", 1), ("b", 3), ("a", 2), ("c", 0))]
assert [one["link"] for one in fresh(entries, ["c"])] == ["a", "b"]
many = [{"link": Key(number)} for number in range(200)]
assert comparisons(lambda: fresh(many, [])) < 1000
assert [one["date"] for one in newest(entries, 2)] == [3, 2]
assert newest(entries, 0) == []
known = [{"name": "a", "title": "A"}]
assert find_feed(known, "a") is known[0] and find_feed(known, "b") is None
assert title_of(known, "a") == "A" and title_of(known, "b") == "unknown"
assert language_of(None) == "en" and language_of("") == "en"
assert language_of("de-DE,en;q=0.5") == "de" and language_of(" FR , en") == "fr"
assert language_of("-") == "en"


class Counting(sqlite3.Connection):
    queries = 0

    def execute(self, *arguments):
        Counting.queries += 1
        return super().execute(*arguments)


connection = sqlite3.connect(":memory:", factory=Counting)
connection.execute("CREATE TABLE entries (link TEXT, title TEXT, author TEXT, read INTEGER)")
for number in range(30):
    connection.execute("INSERT INTO entries VALUES (?, ?, ?, 0)", (f"l{number}", f"t{number}", "x"))
archive = Archive(connection)
assert len(archive.of_author("x")) == 30
assert archive.of_author("' OR '1'='1") == []
archive.remove("' OR '1'='1")
archive.remove("l29")
assert len(archive.of_author("x")) == 29
before = Counting.queries
archive.mark_read([f"l{number}" for number in range(20)])
assert Counting.queries - before <= 1, "one statement for all"
assert connection.execute("SELECT SUM(read) FROM entries").fetchone() == (20,)
before = Counting.queries
assert archive.titles(["l2", "nothing", "l1"]) == ["t2", None, "t1"]
assert archive.titles([f"l{number}" for number in range(20)])[19] == "t19"
assert Counting.queries - before == 2
assert archive.titles([]) == [] and feeds.yaml is yaml
