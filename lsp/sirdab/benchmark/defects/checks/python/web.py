from support import raises
from web import (
    BadRequest,
    Request,
    Response,
    Router,
    after_login,
    bearer_token,
    comment_list,
    create_app,
    greeting,
    leave,
    page_of,
    read_json,
    redirect,
    serve,
)


def get(query="", **more):
    return Request("GET", "/", query, **more)


def place(response):
    return response.headers.get("Location")


assert place(redirect("/x")) == "/x" and redirect("/x").status == 302
assert place(after_login(get("next=/basket"))) == "/basket"
assert place(after_login(get())) == "/"
for wrong in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "x"):
    assert place(after_login(get(f"next={wrong}"))) == "/", wrong
assert place(leave(get("to=https://shop.example/a"))) == "https://shop.example/a"
for wrong in ("https://evil.example/", "http://shop.example/", "javascript://shop.example/x", ""):
    assert leave(get(f"to={wrong}")).status == 400, wrong

assert greeting(get()).body == "<h1>Hello, friend!</h1>"
assert greeting(get("name=Ada")).body == "<h1>Hello, Ada!</h1>"
assert "<script" not in greeting(get("name=<script>")).body
assert comment_list([("<b>", "a & b")]) == "<ul><li><b>&lt;b&gt;</b>: a &amp; b</li></ul>"
assert comment_list([]) == "<ul></ul>"

assert read_json(get(body=b'{"a": 1}')) == {"a": 1}
assert read_json(get(body=b'{"a": true, "b": null}')) == {"a": True, "b": None}
for wrong in (b"", b"[1]", b"{'a': 1}", b"__import__('os').getcwd()"):
    with raises(BadRequest):
        read_json(get(body=wrong))

items = list(range(45))
assert page_of(items, get()) == (list(range(20)), 3)
assert page_of(items, get("page=2")) == (list(range(20, 40)), 3)
assert page_of(items, get("page=3")) == (list(range(40, 45)), 3)
assert page_of(items, get("page=9")) == (list(range(40, 45)), 3)
assert page_of(items, get("page=-1")) == (list(range(20)), 3)
assert page_of(items, get("page=x")) == (list(range(20)), 3)
assert page_of(items, get("page=1%2b1")) == (list(range(20)), 3)
assert page_of([], get()) == ([], 1)
assert page_of(list(range(40)), get("page=2")) == (list(range(20, 40)), 2)
with raises(TypeError):
    page_of(None, get())


def token(value):
    return bearer_token(get(headers={"Authorization": value}))


assert token("Bearer abc ") == "abc"
assert token("bearer abc") == "abc"
assert token("Basic abc") is None
assert token("Bearer ") is None
assert token("".join(["Bear", "er"]) + " x") == "x"
assert bearer_token(get()) is None

router = Router()
assert router.debug is False
router.add("GET", "/", lambda request: Response(body="home"))


def bad(_):
    raise BadRequest("no")


def broken(_):
    raise RuntimeError("a defect")


router.add("GET", "/bad", bad)
router.add("GET", "/broken", broken)
assert router.dispatch(get()).body == "home"
assert router.dispatch(Request("POST", "/")).status == 404
assert router.dispatch(Request("GET", "/bad")).status == 400
assert router.dispatch(Request("GET", "/bad")).body == "no"
with raises(RuntimeError):
    router.dispatch(Request("GET", "/broken"))
app = create_app({"/": greeting})
assert app.debug is False
assert app.dispatch(get("name=Bo")).body == "<h1>Hello, Bo!</h1>"


class Server:
    def run(self, **options):
        self.options = options


server = Server()
serve(server, port=81)
assert server.options == {"host": "127.0.0.1", "port": 81, "debug": False}

# Many comments are joined once.
import sys  # noqa: E402


lines = set()


def trace(frame, event, _):
    if event == "line" and frame.f_code.co_name == "comment_list":
        lines.update(name for name, value in frame.f_locals.items() if isinstance(value, str))
    return trace


sys.settrace(trace)
comment_list([("a", "b"), ("c", "d")])
sys.settrace(None)
assert lines <= {"author", "text"}, "no text grows in the loop"
