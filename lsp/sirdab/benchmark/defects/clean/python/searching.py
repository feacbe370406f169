"""Searching in texts and sorted lists."""

import re
from collections import defaultdict


def highlight(text, term):
    """Put stars around each occurrence of a term that somebody typed."""
    if not term:
        return text
    pattern = re.compile(re.escape(term), re.IGNORECASE)
    return pattern.sub(lambda match: f"*{match.group()}*", text)


def matching(names, typed):
    pattern = re.compile("^" + re.escape(typed), re.IGNORECASE)
    found = []
    for name in names:
        if pattern.search(name):
            found.append(name)
    return found


def first_number(text):
    match = re.search(r"-?\d+", text)
    if match is None:
        return None
    return int(match.group())


def split_mail(address):
    match = re.fullmatch(r"([^@\s]{1,64})@([^@\s]{1,255})", address)
    if not match:
        return None
    return match.group(1), match.group(2).lower()


def position(values, wanted):
    """Return where a value stands in a sorted list, or -1."""
    low, high = 0, len(values) - 1
    while low <= high:
        middle = (low + high) // 2
        if values[middle] == wanted:
            return middle
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle - 1
    return -1


def insertion_point(values, wanted):
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


def common(first, second):
    known = set(second)
    return [value for value in first if value in known]


def merge(first, second):
    """Merge two sorted lists."""
    result = []
    left = right = 0
    while left < len(first) and right < len(second):
        if first[left] <= second[right]:
            result.append(first[left])
            left += 1
        else:
            result.append(second[right])
            right += 1
    return result + first[left:] + second[right:]


def distance(first, second):
    """Count the letters that must be changed, added or taken away."""
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, 1):
        previous, row[0] = row[0], i
        for j, right in enumerate(second, 1):
            cost = 0 if left == right else 1
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + cost)
    return row[-1]


def count_long(rows, limits):
    """Count the words of each row that are longer than the limit in the middle."""
    if not limits:
        raise ValueError("no limits")
    ordered = sorted(limits)
    counts = []
    for row in rows:
        limit = ordered[len(ordered) // 2]
        counts.append(sum(len(word) > limit for word in row))
    return counts


class Index:
    def __init__(self):
        self._places = defaultdict(set)
        self._documents = {}

    def add(self, name, text):
        self.remove(name)
        self._documents[name] = text
        for word in text.lower().split():
            self._places[word].add(name)

    def remove(self, name):
        text = self._documents.pop(name, None)
        if text is None:
            return False
        for word in text.lower().split():
            self._places[word].discard(name)
        return True

    def find(self, query):
        """Return the documents that have all words of a query."""
        words = query.lower().split()
        if not words:
            return []
        found = set(self._places.get(words[0], ()))
        for word in words[1:]:
            found &= self._places.get(word, set())
        return sorted(found)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def tail(lines, count):
    if count <= 0:
        return []
    return lines[-count:]


def without_stopwords(words, stopwords):
    ignored = {word.lower() for word in stopwords}
    kept = []
    for word in words:
        if word.lower() not in ignored:
            kept.append(word)
    return kept
