import sys

from reports import (
    grade,
    indent,
    initials,
    invoice,
    mask,
    plural,
    render,
    salutation,
    shorten,
    slug,
    squeeze,
    table,
    unique_lines,
    wrap,
)
from support import Key, Piece, comparisons, raises

assert squeeze("  a \n\t b  ") == "a b"
assert shorten("one two three", 20) == "one two three"
assert shorten("one two three", 13) == "one two three"
assert shorten("one two three", 12) == "one two…"
assert shorten("one two three", 8) == "one…"
assert shorten("unbroken", 5) == "unbr…"
assert shorten(" a  b ", 3) == "a b"
with raises(ValueError):
    shorten("a", 0)
assert wrap("one two three four", 9) == ["one two", "three", "four"]
assert wrap("one two", 7) == ["one two"] and wrap("", 5) == []
assert wrap("unbrokenword a", 5) == ["unbrokenword", "a"]
assert table([["a", "bcd"], ["efg", "h"]]) == "a    bcd\nefg  h"
assert table([]) == "" and table([["a"]]) == "a"


class Part:
    def __init__(self, text):
        self.text = text

    def render(self):
        return Piece(self.text)


assert render([Part("a"), Part("b")]) == "ab" and render([]) == ""
assert Piece.added == 0, "the pieces are joined once"


def growing(function, *arguments):
    """Return the local names that hold a text while a function runs."""
    names = set()

    def trace(frame, event, _):
        if frame.f_code is function.__code__ and event == "line":
            names.update(name for name, value in frame.f_locals.items() if type(value) is str)
        return trace

    sys.settrace(trace)
    function(*arguments)
    sys.settrace(None)
    return names


assert invoice([("tea", 2, 150), ("cup", 1, 999)]) == (
    "2 x tea: 3.00\n1 x cup: 9.99\nTotal: 12.99\n"
)
assert invoice([]) == "Total: 0.00\n"
assert growing(invoice, [("tea", 2, 150), ("cup", 1, 999)]) == {"name"}
assert slug("  Hello, World! ") == "hello-world" and slug("A_b") == "a-b"
assert plural(1, "day") == "1 day" and plural(2, "day") == "2 days" and plural(0, "x") == "0 xs"
assert initials("one two  three") == "OTT"
assert mask("1234567890") == "******7890"
assert mask("1234") == "****" and mask("abc", 0) == "***" and mask("abcde", 4) == "*bcde"
assert mask("abc", 3) == "***" and mask("abc", 1) == "**c"
assert unique_lines("a\nb\na\nc\nb") == ["a", "b", "c"]


class Text:
    def __init__(self, lines):
        self.lines = lines

    def splitlines(self):
        return self.lines


many = [Key(number) for number in range(200)]
assert comparisons(lambda: unique_lines(Text(many))) < 1000
assert indent("a\n\nb") == "    a\n\n    b" and indent("a", "> ") == "> a"
assert salutation({"title": "Dr", "surname": "Ada", "name": "x"}) == "Dear Dr Ada,"
assert salutation({"title": "Dr", "name": "Ada"}) == "Dear Ada,"
assert salutation({"surname": "King", "name": "Ada"}) == "Dear Ada,"
assert salutation({}) == "Hello,"
assert [grade(points) for points in (100, 90, 89, 75, 74, 50, 49, 0)] == list("AABBCCFF")
