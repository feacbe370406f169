import re

from searching import (
    Index,
    common,
    count_long,
    distance,
    first_number,
    highlight,
    insertion_point,
    line_of,
    matching,
    merge,
    position,
    split_mail,
    tail,
    without_stopwords,
)
from support import Key, comparisons, raises

assert highlight("a cat, a Cat", "cat") == "a *cat*, a *Cat*"
assert highlight("1+1=2", "1+1") == "*1+1*=2" and highlight("abc", ".") == "abc"
assert highlight("abc", "") == "abc" and highlight("a(b", "(") == "a*(*b"
assert matching(["Ada", "adam", "bada"], "ad") == ["Ada", "adam"]
assert matching(["a.c", "abc"], "a.") == ["a.c"] and matching(["a(b"], "a(") == ["a(b"]
compiled = []
real = re.compile
re.compile = lambda *arguments: compiled.append(1) or real(*arguments)
matching(["a", "b", "c"], "a")
re.compile = real
assert len(compiled) == 1
assert first_number("a 12 b 3") == 12 and first_number("x-7") == -7
assert first_number("none") is None
assert split_mail("Ada@Example.ORG") == ("Ada", "example.org")
assert split_mail("a@b@c") is None and split_mail("nothing") is None
values = [1, 3, 5, 7, 9]
assert [position(values, value) for value in values] == [0, 1, 2, 3, 4]
assert [position(values, value) for value in (0, 4, 10)] == [-1, -1, -1]
assert position([], 1) == -1 and position([4], 4) == 0
assert [insertion_point(values, value) for value in (0, 1, 4, 9, 10)] == [0, 0, 2, 4, 5]
assert insertion_point([2, 2, 2], 2) == 0 and insertion_point([], 1) == 0
assert common([3, 1, 2, 3], [3, 2]) == [3, 2, 3]
keys = [Key(number) for number in range(200)]
assert comparisons(lambda: common(keys, keys)) < 1000
assert merge([1, 4], [2, 3, 9]) == [1, 2, 3, 4, 9]
assert merge([], [1]) == [1] and merge([1], []) == [1] and merge([1], [1]) == [1, 1]
assert merge([2, 3], [1]) == [1, 2, 3]
first, second = Key(1), Key(1)
Key.__le__ = lambda one, other: one.value <= other.value
assert merge([first], [second])[0] is first, "equal ones keep their order"
assert distance("kitten", "sitting") == 3 and distance("", "abc") == 3
assert distance("abc", "") == 3 and distance("same", "same") == 0
assert distance("ab", "ba") == 2 and distance("abc", "abcd") == 1 and distance("flaw", "lawn") == 2
assert count_long([["a", "abc"], ["abcd"], []], [3, 1, 2]) == [1, 1, 0]
assert count_long([["ab", "abc"]], [2]) == [1] and count_long([["ab", "abc"]], [1, 2]) == [1]
with raises(ValueError):
    count_long([], [])


class Limit(int):
    compared = 0

    def __lt__(self, other):
        Limit.compared += 1
        return int(self) < int(other)


limits = [Limit(number) for number in range(50)]
count_long([["a"]] * 20, limits)
assert Limit.compared < 100, "sorted once"
index = Index()
index.add("one", "The cat sat")
index.add("two", "a CAT ran")
assert index.find("cat") == ["one", "two"] and index.find("the Cat") == ["one"]
assert index.find("cat dog") == [] and index.find("dog") == [] and index.find(" ") == []
index.add("one", "the dog")
assert index.find("cat") == ["two"] and index.find("dog") == ["one"]
assert index.remove("two") is True and index.find("cat") == []
assert index.remove("two") is False
index.add("none", "")
assert index.remove("none") is True
assert line_of("a\nb\nc", 0) == 1 and line_of("a\nb\nc", 2) == 2 and line_of("a\nb\nc", 4) == 3
assert line_of("a\nb", 1) == 1
assert tail([1, 2, 3], 2) == [2, 3] and tail([1, 2], 0) == [] and tail([1], 5) == [1]
assert tail([1, 2], -1) == [] and tail([1, 2, 3], 1) == [3]
assert without_stopwords(["The", "cat", "a", "Dog"], ["the", "A"]) == ["cat", "Dog"]


class Word(Key):
    def lower(self):
        return self


words = [Word(number) for number in range(200)]
assert comparisons(lambda: without_stopwords(words, words)) < 1000
