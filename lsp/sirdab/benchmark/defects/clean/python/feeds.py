"""News from other sites: reading, filtering, keeping."""

import hashlib
import io
import ssl
import xml.sax
import xml.sax.handler
from http.client import HTTPSConnection

import yaml


class TitleHandler(xml.sax.handler.ContentHandler):
    def __init__(self):
        super().__init__()
        self.titles = []
        self._text = None

    def startElement(self, name, attrs):
        if name == "title":
            self._text = []

    def characters(self, content):
        if self._text is not None:
            self._text.append(content)

    def endElement(self, name):
        if name == "title" and self._text is not None:
            self.titles.append("".join(self._text).strip())
            self._text = None


def titles_of(data):
    parser = xml.sax.make_parser()
    parser.setFeature(xml.sax.handler.feature_external_ges, False)
    handler = TitleHandler()
    parser.setContentHandler(handler)
    parser.parse(io.BytesIO(data))
    return handler.titles


class CountHandler(xml.sax.handler.ContentHandler):
    def __init__(self, name):
        super().__init__()
        self.name = name
        self.count = 0
        self.length = 0

    def startElement(self, name, attrs):
        if name == self.name:
            self.count += 1

    def characters(self, content):
        self.length += len(content)


def count_elements(data, name):
    """Return how many elements of a name there are, and the characters of all text."""
    parser = xml.sax.make_parser()
    parser.setFeature(xml.sax.handler.feature_external_ges, False)
    handler = CountHandler(name)
    parser.setContentHandler(handler)
    parser.parse(io.BytesIO(data))
    return handler.count, handler.length


def read_subscriptions(text):
    entries = yaml.safe_load(text)
    if entries is None:
        return []
    return [entry["url"] for entry in entries if entry.get("active", True)]


def read_filters(stream):
    settings = yaml.safe_load(stream) or {}
    return settings.get("filters", [])


def connect(host):
    context = ssl.create_default_context()
    return HTTPSConnection(host, timeout=5, context=context)


def entry_key(entry):
    # A name for the entry in the cache, nothing that is to be kept secret.
    text = entry["link"] + "\n" + entry["title"]
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def fresh(entries, seen):
    known = set(seen)
    result = []
    for entry in entries:
        if entry["link"] not in known:
            known.add(entry["link"])
            result.append(entry)
    return result


def newest(entries, limit):
    ordered = sorted(entries, key=lambda entry: entry["date"], reverse=True)
    return ordered[:limit]


def find_feed(feeds, name):
    return next((feed for feed in feeds if feed["name"] == name), None)


def title_of(feeds, name):
    feed = find_feed(feeds, name)
    if feed is None:
        return "unknown"
    return feed["title"]


def language_of(header):
    if header is None:
        return "en"
    first = header.split(",")[0]
    first = first.strip()
    return first.split("-")[0].lower() or "en"


class Archive:
    def __init__(self, connection):
        self._connection = connection

    def of_author(self, author):
        query = "SELECT link, title FROM entries WHERE author = ?"
        return self._connection.execute(query, (author,)).fetchall()

    def mark_read(self, links):
        self._connection.executemany(
            "UPDATE entries SET read = 1 WHERE link = ?", [(link,) for link in links]
        )

    def remove(self, link):
        self._connection.execute("DELETE FROM entries WHERE link = ?", (link,))

    def titles(self, links):
        marks = ", ".join("?" for _ in links)
        rows = self._connection.execute(
            f"SELECT link, title FROM entries WHERE link IN ({marks})", tuple(links)
        )
        known = dict(rows)
        return [known.get(link) for link in links]
