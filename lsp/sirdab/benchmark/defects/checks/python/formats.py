from formats import (
    FormatError,
    balanced,
    read_literal,
    read_number,
    read_pairs,
    read_records,
    read_size,
    read_version,
    split_quoted,
    tokens,
)
from support import raises

text = "a = 1  # one\n\n  # nothing\n b=x=y \n c = \n"
assert read_pairs(text) == {"a": "1", "b": "x=y", "c": ""}
try:
    read_pairs("a = 1\nwrong\n")
except FormatError as error:
    assert "line 2" in str(error)
else:
    raise AssertionError
assert read_literal("[1, 'a', None]") == [1, "a", None]
for wrong in ("__import__('os').getcwd()", "[1", "name", "1 + x"):
    with raises(FormatError):
        read_literal(wrong)
assert read_number("1,234.5") == 1234.5
assert read_number("$3") == 3.0
assert read_number("x") is None and read_number("2*3") is None
with raises(AttributeError):
    read_number(3)
assert read_size("10") == 10 and read_size(" 2k ") == 2048 and read_size("3M") == 3 * 1024**2
assert read_size("1g") == 1024**3
for wrong in ("", "k", "2*3"):
    with raises(ValueError):
        read_size(wrong)
assert read_records('{"a": 1}\n\n{"b": true}\n') == [{"a": 1}, {"b": True}]
assert read_records('{"a": 1}\n{"b": ') == [{"a": 1}], "the last line was cut off"
assert read_records("[1]") == [[1]]
assert read_records('{"a": null}\n1+1') == [{"a": None}]
try:
    read_records('{"a": 1}\n{"b": \n{"c": 3}')
except FormatError as error:
    assert "line 2" in str(error)
else:
    raise AssertionError
assert tokens("12+ab3 *(x)") == ["12", "+", "ab3", "*", "(", "x", ")"]
assert tokens("") == [] and tokens("7") == ["7"] and tokens("ab") == ["ab"] and tokens("a ") == ["a"]
assert split_quoted("a,b,,c") == ["a", "b", "", "c"]
assert split_quoted('"a,b",c') == ["a,b", "c"]
assert split_quoted('"a""b"') == ['a"b']
assert split_quoted("") == [""] and split_quoted("a;b", ";") == ["a", "b"]
assert split_quoted('a,""') == ["a", ""]
with raises(FormatError):
    split_quoted('"a')
assert read_version("1.20.3") == (1, 20, 3) and read_version("1.08.0") == (1, 8, 0)
for wrong in ("1.2", "1.2.3.4", "1.a.3", "1..3"):
    with raises(FormatError):
        read_version(wrong)
try:
    read_version("x")
except FormatError as error:
    assert "x is no version" in str(error)
assert balanced("a(b[c]{d})") and balanced("")
for wrong in ("(", ")", "(]", "([)]", "())"):
    assert not balanced(wrong), wrong
