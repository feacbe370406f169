"""The settings schema: the one place that names a setting, its type, its range and its meaning.

Everything else about settings is derived from these dataclasses: the resolver in
`sirdab.config.settings` and the tables in the documentation (`sirdab.config.generate`). A test
fails when a generated file no longer agrees.

The names are a public contract and never change: a Python field `debounce_ms` is the
setting `debounceMs`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class Spec:
    """What the schema says of one setting beyond its Python type.

    Attributes:
        description: One or two sentences for a person.
        user_only: True where a workspace must not be able to set the value, because it
            decides where text is sent.
        minimum: Smallest number accepted, in the unit the name carries.
        maximum: Largest number accepted.
        adds_up: For lists, True where the values of all sources count together: what one
            source forbids, no other can allow.
        item_values: For lists of strings, the strings accepted; empty when any will do.
        meanings: For enumerations, and for lists of `item_values`, what each value means; "true"
            and "false" among them where those are accepted beside names.
    """

    description: str
    user_only: bool = False
    minimum: int | None = None
    maximum: int | None = None
    adds_up: bool = False
    item_values: tuple[str, ...] = ()
    meanings: Mapping[str, str] = field(default_factory=dict[str, str])


def _setting(default: Any, description: str, **spec: Any) -> Any:
    return field(default=default, metadata={"spec": Spec(description, **spec)})


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """Where the model is. All but the time-out are user-only."""

    url: str | tuple[str, ...] = _setting(
        "auto",
        'Address of the model server, for example "http://127.0.0.1:8012", or a list of addresses, '
        'the preferred one first; "auto" looks for servers on this machine, the embedded one among '
        "them.",
        user_only=True,
    )
    kind: Literal["auto", "llamacpp", "ollama", "openai"] = _setting(
        "auto",
        'Protocol that the server speaks; "auto" asks the server.',
        user_only=True,
        meanings={
            "auto": "What the server turns out to be.",
            "llamacpp": "A server of llama.cpp, and its /completion.",
            "ollama": "A server of Ollama, and its /api/generate.",
            "openai": "A server with an interface like OpenAI's: vLLM, LM Studio and many others.",
        },
    )
    model: str = _setting(
        "auto",
        'Model to use: a name from the catalog or of the server, a path of a GGUF file, or "auto".',
        user_only=True,
    )
    api_key_env: str = _setting(
        "",
        "Name of the environment variable that holds the server's API key, never the key itself.",
        user_only=True,
    )
    allow_remote: bool | Literal["without-tls"] = _setting(
        False,
        "Allow a server that is not on this machine. Your code is then sent over the network: with "
        'true only encrypted (https), with "without-tls" readable for everybody on the way.',
        user_only=True,
        meanings={
            "false": "Only servers on this machine.",
            "true": "Servers on other machines too, over https.",
            "without-tls": "Servers on other machines too, also over http, which is not encrypted.",
        },
    )
    timeout_ms: int = _setting(
        10_000,
        "Longest time one request to the model may take, in milliseconds.",
        minimum=100,
        maximum=600_000,
    )

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses of `url` in the order in which they are preferred; never empty."""
        return (self.url,) if isinstance(self.url, str) else self.url

    @property
    def is_auto(self) -> bool:
        """Whether nothing but "auto" is asked for."""
        return self.urls == ("auto",)


@dataclass(frozen=True, slots=True)
class CompletionSettings:
    """Ghost text."""

    enabled: bool = _setting(True, "Offer ghost text while typing.")
    debounce_ms: Literal["auto"] | int = _setting(
        "auto",
        "Pause after the last keystroke before the model is asked, in milliseconds; "
        '"auto" leaves it to Sirdab.',
        minimum=0,
        maximum=10_000,
    )
    max_tokens: int = _setting(
        128, "Most tokens the model may write for one suggestion.", minimum=1, maximum=2048
    )
    multiline: Literal["auto", "never", "always"] = _setting(
        "auto",
        "Whether a suggestion may have several lines.",
        meanings={
            "auto": "Several lines where a block begins, one line elsewhere.",
            "never": "Always one line.",
            "always": "Several lines wherever no text follows on the line of the cursor.",
        },
    )
    disabled_languages: tuple[str, ...] = _setting(
        (), 'Language identifiers without ghost text, for example ["markdown", "plaintext"].'
    )
    disabled_scopes: tuple[str, ...] = _setting(
        (),
        'Kinds of text without ghost text: "comment", "string".',
        item_values=("comment", "string"),
        meanings={"comment": "No ghost text in comments.", "string": "No ghost text in strings."},
    )
    menu: Literal["auto", "on", "off"] = _setting(
        "auto",
        "Offer the suggestion in the completion menu as well; "
        '"auto" does so only where the editor has no inline completion.',
        meanings={
            "auto": "In the menu only where the editor has no inline completion.",
            "on": "In the menu, beside ghost text too.",
            "off": "Never in the menu.",
        },
    )


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """Findings on correctness, security and performance."""

    enabled: bool = _setting(True, "Review code and publish findings as diagnostics.")
    run: Literal["onSave", "onIdle", "manual"] = _setting(
        "manual",
        "When a review runs.",
        meanings={
            "onSave": "When a file is saved.",
            "onIdle": "When nothing was typed for a while.",
            "manual": "When it is asked for.",
        },
    )
    categories: tuple[str, ...] = _setting(
        ("correctness", "security", "performance"),
        "What a review looks for.",
        item_values=("correctness", "security", "performance"),
        meanings={
            "correctness": "Code that does not do what it seems to.",
            "security": "Code that somebody could misuse.",
            "performance": "Code that does needless work.",
        },
    )
    minimum_severity: Literal["hint", "information", "warning", "error"] = _setting(
        "information",
        "Findings below this severity are not shown.",
        meanings={
            "hint": "Everything is shown.",
            "information": "All but hints are shown.",
            "warning": "Warnings and errors are shown.",
            "error": "Errors alone are shown.",
        },
    )
    votes: Literal["auto"] | int = _setting(
        "auto",
        "How often the model is asked to refute each finding before it is shown; most votes "
        'decide, and with 0 nothing is refuted. "auto" leaves it to Sirdab.',
        minimum=0,
        maximum=9,
    )


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """What a prompt may hold."""

    exclude: tuple[str, ...] = _setting(
        (),
        "Globs of files that are neither completed nor used as context, added to the built-in "
        "list (keys, certificates, .env files, config.json and others: see SECURITY.md); the lists "
        "of all sources count together.",
        adds_up=True,
    )
    redact_secrets: bool = _setting(
        True, "Replace text that looks like a secret before it enters a prompt."
    )
    audit: bool = _setting(
        True,
        "Keep a local record of every request to the model: when, where to, from which file and "
        "how much, never the text.",
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, resolved: every value is present and valid."""

    endpoint: EndpointSettings = EndpointSettings()
    completion: CompletionSettings = CompletionSettings()
    review: ReviewSettings = ReviewSettings()
    privacy: PrivacySettings = PrivacySettings()
    trace: Literal["off", "messages", "prompts"] = _setting(
        "off",
        'What the log records: "messages" logs method names and times, "prompts" also logs '
        "source text.",
        meanings={
            "off": "No messages.",
            "messages": "Names of methods and times, no source text.",
            "prompts": "Also the source text that the model is sent.",
        },
    )


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """One setting as the schema's readers see it.

    Attributes:
        key: Dotted public name without the section, for example `completion.debounceMs`.
        group: Name of the field of `Settings` that holds it, or "" for a top-level setting.
        field_name: Name of the Python field.
        type: The Python annotation.
        default: The value used when nothing sets it.
        spec: Description, range and scope.
    """

    key: str
    group: str
    field_name: str
    type: Any
    default: Any
    spec: Spec

    @property
    def options(self) -> tuple[Any, ...]:
        """The types accepted: the members of a union, or the one type."""
        if get_origin(self.type) in {Union, UnionType}:
            return get_args(self.type)
        return (self.type,)

    @property
    def choices(self) -> tuple[str, ...]:
        """The strings accepted, when the type is an enumeration."""
        return tuple(
            str(value)
            for option in self.options
            if get_origin(option) is Literal
            for value in get_args(option)
        )

    @property
    def is_list(self) -> bool:
        """Whether the setting is a list of strings."""
        return get_origin(self.type) is tuple

    @property
    def accepts_list(self) -> bool:
        """Whether a list of strings is accepted, perhaps among other things."""
        return any(get_origin(option) is tuple for option in self.options)

    @property
    def accepts_int(self) -> bool:
        """Whether a whole number is accepted."""
        return int in self.options

    @property
    def accepts_bool(self) -> bool:
        """Whether true and false are accepted."""
        return bool in self.options

    @property
    def accepts_any_string(self) -> bool:
        """Whether any string is accepted."""
        return str in self.options


def camel(name: str) -> str:
    """Return the public camelCase spelling of a Python field name."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def all_settings() -> tuple[SettingInfo, ...]:
    """List every setting in the order of the schema."""
    found: list[SettingInfo] = []
    for outer in fields(Settings):
        if "spec" in outer.metadata:
            hints = get_type_hints(Settings)
            found.append(
                SettingInfo(
                    outer.name,
                    "",
                    outer.name,
                    hints[outer.name],
                    outer.default,
                    outer.metadata["spec"],
                )
            )
            continue
        group: Any = outer.default
        hints = get_type_hints(group.__class__)
        found.extend(
            SettingInfo(
                f"{outer.name}.{camel(inner.name)}",
                outer.name,
                inner.name,
                hints[inner.name],
                inner.default,
                inner.metadata["spec"],
            )
            for inner in fields(group)
        )
    return tuple(found)
