"""Writes a request in OpenAI's words, as far as a server understands them.

Source of the common fields: OpenAI's API reference, "Completions" and "Chat"; of all others the
profile that says so (`profiles.toml`).
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from sirdab.endpoint.answer import well_formed
from sirdab.endpoint.base import EndpointError, GenerationRequest, ProblemKind
from sirdab.endpoint.connection import encode
from sirdab.endpoint.llamacpp_generate import gbnf_literal
from sirdab.endpoint.profiles import Profile, SchemaForm

# The name that OpenAI wants beside a schema; it has no meaning here.
_SCHEMA_NAME = "answer"
_META = re.compile(r"[\\^$.|?*+()\[\]{}]")


class Body(NamedTuple):
    """A request as it is sent.

    Attributes:
        path: Path below the server's root.
        data: JSON, encoded.
        is_chat: Whether a turn of a conversation is asked for.
    """

    path: str
    data: bytes
    is_chat: bool


def write_body(
    profile: Profile,
    request: GenerationRequest,
    model: str,
    url: str,
    *,
    ends: Sequence[str] = (),
) -> Body:
    """Write a request.

    Args:
        profile: What the server understands.
        request: What is asked.
        model: What the server calls the model.
        url: Address of the server as the user knows it, for messages.
        ends: Control tokens that end a completion; sent as stop strings too, as far as the server
            takes so many.

    Raises:
        EndpointError: The server cannot be asked this way.
    """
    is_chat = bool(request.messages)
    path = profile.chat if is_chat else profile.completions
    if not path:
        raise EndpointError(
            ProblemKind.REFUSED,
            f"{profile.title} at {url} takes conversations only, so this model cannot complete "
            "code directly; set endpoint.url to the model server behind it.",
        )
    fields: dict[str, Any] = {
        "model": profile.sends_model or model,
        # Servers without the ability to read a prompt without writing write one token.
        "max_tokens": max(1, request.max_tokens),
        "stream": True,
        "temperature": max(0.0, request.temperature),
    }
    if request.temperature <= 0:
        fields["temperature"] = 0
        fields.update(profile.fields.greedy)
    elif request.seed is not None:
        fields["seed"] = request.seed
    if profile.usage == "asked":
        fields["stream_options"] = {"include_usage": True}
    stops = list(dict.fromkeys(well_formed(stop) for stop in (*request.stop, *ends) if stop))
    if stops:
        fields["stop"] = stops[: profile.most_stops] if profile.most_stops else stops
    if is_chat:
        fields.update(profile.fields.chat)
        fields.update(_conversation(profile, request))
        form = profile.schema.chat
    else:
        fields.update(profile.fields.completions)
        fields["prompt"] = well_formed(request.prompt)
        if request.suffix is not None:
            fields["suffix"] = well_formed(request.suffix)
        form = profile.schema.completions
    if request.begins_with and not is_chat:
        fields.update(_begins(profile, well_formed(request.begins_with)))
    elif request.json_schema is not None:
        fields.update(_schema(form, request.json_schema))
    return Body(path, encode(fields), is_chat)


def _conversation(profile: Profile, request: GenerationRequest) -> dict[str, Any]:
    messages = [
        {"role": message.role, "content": well_formed(message.content)}
        for message in request.messages
    ]
    if messages[-1]["role"] != "assistant":
        return {"messages": messages}
    if not profile.prefill:
        # The model would take it for a turn that is over, and answer itself.
        return {"messages": messages[:-1]}
    if profile.prefill == "continue_final_message":
        return {
            "messages": messages,
            "continue_final_message": True,
            "add_generation_prompt": False,
        }
    return {"messages": messages}


def _begins(profile: Profile, start: str) -> dict[str, Any]:
    if "\0" in start:
        return {}
    if profile.begins == "structured_outputs.regex":
        # The model stays free to cross the boundary: for " ite" it may write the token " item".
        return {"structured_outputs": {"regex": _literal(start) + r"[\s\S]*"}}
    if profile.begins == "grammar":
        return {"grammar": f"root ::= {gbnf_literal(start)} [^\\x00]*"}
    return {}


def _literal(text: str) -> str:
    """Return a regular expression that matches a text, with the escapes that every dialect has."""
    return _META.sub(r"\\\g<0>", text).replace("\n", r"\n").replace("\r", r"\r")


def _schema(form: SchemaForm, schema: dict[str, Any]) -> dict[str, Any]:
    if form == "response_format":
        held = {"name": _SCHEMA_NAME, "strict": True, "schema": schema}
        return {"response_format": {"type": "json_schema", "json_schema": held}}
    if form == "response_format.value":
        return {"response_format": {"type": "json_object", "value": schema}}
    if form == "json_schema":
        return {"json_schema": schema}
    return {}
