"""Readers of small text formats."""

import ast
import json


class FormatError(Exception):
    """A text is not of the format it should be."""


def read_pairs(text):
    """Read lines like `key = value`; text behind a # is a comment."""
    pairs = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0]
        line = line.strip()
        if not line:
            continue
        key, separator, value = line.partition("=")
        if not separator:
            raise FormatError(f"line {number} has no value")
        pairs[key.strip()] = value.strip()
    return pairs


def read_literal(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise FormatError("this is no literal") from error


def read_number(text):
    text = text.replace(",", "")
    if text.startswith("$"):
        text = text[1:]
    try:
        return float(text)
    except ValueError:
        return None


def read_size(text):
    """Return the bytes of a size like 10k or 2M."""
    units = {"k": 1024, "m": 1024**2, "g": 1024**3}
    text = text.strip().lower()
    factor = 1
    if text and text[-1] in units:
        factor = units[text[-1]]
        text = text[:-1]
    return int(text) * factor


def read_records(text):
    """Read one JSON object a line; a last line that was cut off is left out."""
    records = []
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError as error:
            if number == len(lines):
                break
            raise FormatError(f"line {number} is no JSON") from error
    return records


def tokens(text):
    """Split an expression into numbers, names and operators."""
    found = []
    position = 0
    while position < len(text):
        char = text[position]
        if char.isspace():
            position += 1
            continue
        start = position
        if char.isdigit():
            while position < len(text) and text[position].isdigit():
                position += 1
        elif char.isalpha():
            while position < len(text) and text[position].isalnum():
                position += 1
        else:
            position += 1
        found.append(text[start:position])
    return found


def split_quoted(line, separator=","):
    """Split a line of CSV; a doubled quote within quotes stands for one."""
    fields, current, quoted = [], [], False
    index = 0
    while index < len(line):
        char = line[index]
        if quoted and char == '"' and line[index + 1 : index + 2] == '"':
            current.append('"')
            index += 1
        elif char == '"':
            quoted = not quoted
        elif char == separator and not quoted:
            fields.append("".join(current))
            current = []
        else:
            current.append(char)
        index += 1
    if quoted:
        raise FormatError("a quote is not closed")
    fields.append("".join(current))
    return fields


def read_version(text):
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise FormatError(f"{text} is no version")
    return tuple(int(part) for part in parts)


def balanced(text):
    closing = {")": "(", "]": "[", "}": "{"}
    stack = []
    for char in text:
        if char in closing.values():
            stack.append(char)
        elif char in closing:
            if not stack or stack.pop() != closing[char]:
                return False
    return not stack
