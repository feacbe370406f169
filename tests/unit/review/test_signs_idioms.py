"""What is an idiom of tests, or of a kind of program, shows no sign; the defect beside it does."""

import pytest

from tests.unit.review.test_signs import check_sign

IDIOMS: list[tuple[str, str]] = [
    (
        "self-comparison",
        """
        class TestPoint(unittest.TestCase):
            def test_equal(self):
                point = Point(1)
                assert point == point
                self.assertTrue(point == point)
                with pytest.raises(TypeError):
                    point < point
                return point == point  # SIGN

        def changed(value, other):
            if value == value and other != value:
                return True
            return other == other  # SIGN

        def number(self, other):
            if isinstance(other, Flag):
                other = other.value
            elif isinstance(other, int):
                other = other
            self.other = other
            other = other  # SIGN
        """,
    ),
    (
        "resource-leak",
        """
        @patch("builtins.open")
        def test_reads(opened):
            file = open("a")
            opened.assert_called_once()

        def test_missing(monkeypatch):
            with pytest.raises(OSError):
                file = open("missing")
            file = open("a")  # SIGN
            assert file.read() == ""

        def test_mocked():
            with mock.patch("builtins.open", mock_open(read_data="x")):
                file = open("a")
                assert file.read() == "x"

        def test_patched_otherwise():
            with mock.patch("os.getcwd"):
                file = open("a")  # SIGN
                assert file.read() == "x"
        """,
    ),
    (
        "ignored-result",
        """
        def test_sorted():
            sorted([Loud()])
            with pytest.raises(TypeError):
                sorted([1, "a"])

        def order(items, name, line, pattern):
            sorted(items)  # SIGN
            name.strip()  # SIGN
            line.rstrip()
            line.truncate(3)
            try:
                round(name)
            except TypeError:
                return None
            with suppress(TypeError):
                len(name)
            return items

        def gather(text):
            found = []

            def keep(match):
                found.append(match[0])

            pattern = re.compile("a")
            pattern.sub(keep, text)
            pattern.sub("b", text)  # SIGN
            return found
        """,
    ),
    (
        "swallowed-error",
        """
        class Case(unittest.TestCase):
            def run(self):
                try:
                    self.go()
                except Exception:
                    pass

        def test_go():
            try:
                go()
            except Exception:
                pass

        def run():
            try:
                go()
            except Exception:  # SIGN
                pass
        """,
    ),
    (
        "missing-return",
        """
        class Pen:
            def pen(self, size=None):
                if size is None:
                    return self.state
                self.state = size
                self.draw()

            def size(self, width=None):
                if width is None:
                    return self.state
                self.pen(width)

            def area(self, width=None):
                if width is None:
                    return 0
                self.compute(width)  # SIGN

            def compute(self, width):
                return width * width
        """,
    ),
    (
        "missing-await",
        """
        async def load():
            return 1

        class Case(unittest.IsolatedAsyncioTestCase):
            async def test_load(self):
                load()  # SIGN
                await load()
        """,
    ),
    (
        "weak-hash",
        """
        class DigestAuth:
            def nonce(self, secret):
                return hashlib.sha1(secret).hexdigest()

        def hash_password(password):
            return hashlib.sha1(password).hexdigest()  # SIGN
        """,
    ),
    (
        "missing-lock",
        """
        class Store:
            def __init__(self):
                self._lock = threading.Lock()
                self._items = []
                self._read()

            def _read(self):
                self._items.append(0)

            def add(self, item):
                with self._lock:
                    self._items.append(item)

            def put(self, item):
                self._items.append(item)  # SIGN

        class Queue:
            def __init__(self):
                self._count = threading.Semaphore(0)
                self._items = []

            def put(self, item):
                self._items.append(item)
                self._count.release()
        """,
    ),
    (
        "cross-site-scripting",
        """
        def item(name, text):
            text = escape(text)
            text = f"<b>{text}</b>"
            return f"<li>{name}</li>"  # SIGN
        """,
    ),
    (
        "cross-site-scripting",
        """
        def page(title, body):
            return f"<html>{escape(title)}{body}</html>"

        def heading(title):
            return f"<h1>{title}</h1>"

        def section(title, text):
            return f"<h2>{title}</h2><p>{text}</p>"
        """,
    ),
]


@pytest.mark.parametrize(("rule", "code"), IDIOMS)
def test_an_idiom_is_no_sign(rule: str, code: str) -> None:
    check_sign(rule, code)


def test_blocks_of_a_runner_are_tests() -> None:
    check_sign(
        "swallowed-error",
        """
        it("goes", () => {
          try { go(); } catch (error) {}
        });
        function run() {
          try { go(); } catch (error) {} // SIGN
        }
        """,
        "javascript",
    )
