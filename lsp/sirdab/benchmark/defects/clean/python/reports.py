"""Plain text for reports and mails."""

import re

_BLANKS = re.compile(r"\s+")


def squeeze(text):
    text = _BLANKS.sub(" ", text)
    text = text.strip()
    return text


def shorten(text, width):
    """Return at most `width` characters, cut at a word if there is one."""
    if width < 1:
        raise ValueError("width must be positive")
    text = squeeze(text)
    if len(text) <= width:
        return text
    cut = text[: width - 1]
    space = cut.rfind(" ")
    if space > 0:
        cut = cut[:space]
    return cut + "…"


def wrap(text, width):
    lines = []
    line = ""
    for word in text.split():
        if not line:
            line = word
        elif len(line) + 1 + len(word) <= width:
            line = f"{line} {word}"
        else:
            lines.append(line)
            line = word
    if line:
        lines.append(line)
    return lines


def table(rows):
    """Return rows as columns that are as wide as their widest cell."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def render(parts):
    pieces = []
    for part in parts:
        pieces.append(part.render())
    return "".join(pieces)


def invoice(lines):
    rows = []
    total = 0
    for name, amount, cents in lines:
        price = amount * cents
        total += price
        rows.append(f"{amount} x {name}: {price / 100:.2f}\n")
    rows.append(f"Total: {total / 100:.2f}\n")
    return "".join(rows)


def slug(title):
    title = title.lower()
    title = re.sub(r"[^a-z0-9]+", "-", title)
    return title.strip("-")


def plural(count, noun):
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun}s"


def initials(name):
    return "".join(word[0].upper() for word in name.split())


def mask(secret, shown=4):
    if shown <= 0 or len(secret) <= shown:
        return "*" * len(secret)
    return "*" * (len(secret) - shown) + secret[-shown:]


def unique_lines(text):
    seen = set()
    kept = []
    for line in text.splitlines():
        if line not in seen:
            seen.add(line)
            kept.append(line)
    return kept


def indent(text, prefix="    "):
    lines = text.split("\n")
    return "\n".join(prefix + line if line else line for line in lines)


def salutation(person):
    if person.get("title") and person.get("surname"):
        return f"Dear {person['title']} {person['surname']},"
    if person.get("name"):
        return f"Dear {person['name']},"
    return "Hello,"


def grade(points):
    if points >= 90:
        return "A"
    if points >= 75:
        return "B"
    if points >= 50:
        return "C"
    return "F"
