"""Handlers of a small web application, without a framework."""

import html
import json
import math
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

PAGE_SIZE = 20
HOSTS = frozenset({"shop.example", "www.shop.example"})


@dataclass
class Request:
    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: dict = field(default_factory=dict)


@dataclass
class Response:
    status: int = 200
    body: str = ""
    headers: dict = field(default_factory=dict)


class BadRequest(Exception):
    """The client sent something that cannot be used."""


def redirect(location):
    return Response(HTTPStatus.FOUND, headers={"Location": location})


def after_login(request):
    target = parse_qs(request.query).get("next", ["/"])[0]
    parts = urlsplit(target)
    # Browsers take a backslash for a slash, and two of them for the start of a host.
    if parts.scheme or parts.netloc or "\\" in target or not target.startswith("/"):
        return redirect("/")
    return redirect(target)


def leave(request):
    target = parse_qs(request.query).get("to", [""])[0]
    parts = urlsplit(target)
    if parts.scheme != "https" or parts.hostname not in HOSTS:
        return Response(HTTPStatus.BAD_REQUEST, "unknown address")
    return redirect(target)


def greeting(request):
    name = parse_qs(request.query).get("name", ["friend"])[0]
    return Response(body=f"<h1>Hello, {html.escape(name)}!</h1>")


def comment_list(comments):
    items = []
    for author, text in comments:
        items.append(f"<li><b>{html.escape(author)}</b>: {html.escape(text)}</li>")
    return "<ul>" + "".join(items) + "</ul>"


def read_json(request):
    try:
        value = json.loads(request.body)
    except ValueError as error:
        raise BadRequest("the body is no JSON") from error
    if not isinstance(value, dict):
        raise BadRequest("the body is no object")
    return value


def page_of(items, request):
    """Return one page of items and how many pages there are; pages count from 1."""
    query = parse_qs(request.query)
    try:
        number = int(query.get("page", ["1"])[0])
    except ValueError:
        number = 1
    pages = max(1, math.ceil(len(items) / PAGE_SIZE))
    number = min(max(number, 1), pages)
    start = (number - 1) * PAGE_SIZE
    return items[start : start + PAGE_SIZE], pages


def bearer_token(request):
    value = request.headers.get("Authorization")
    if value is None:
        return None
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    return token.strip()


class Router:
    def __init__(self, debug=False):
        self.debug = debug
        self._routes = {}

    def add(self, method, path, handler):
        self._routes[method, path] = handler

    def dispatch(self, request):
        handler = self._routes.get((request.method, request.path))
        if handler is None:
            return Response(HTTPStatus.NOT_FOUND, "not found")
        try:
            return handler(request)
        except BadRequest as error:
            return Response(HTTPStatus.BAD_REQUEST, str(error))


def create_app(handlers):
    router = Router(debug=False)
    for path, handler in handlers.items():
        router.add("GET", path, handler)
    return router


def serve(app, host="127.0.0.1", port=8000):
    app.run(host=host, port=port, debug=False)
