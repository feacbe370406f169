"""Signs that rest on two places of the code that contradict each other, as in `test_signs.py`."""

import pytest

from tests.unit.review.test_signs import check_sign

PYTHON: list[tuple[str, str]] = [
    (
        "inverted-condition",
        """
        def choose(values, limits, table, path, name, self):
            if values:  # SIGN
                raise ValueError("no values")
            if not values:
                raise ValueError("no values")
            if limits.names:
                raise ValueError("the names must be unique")
            if name in table:  # SIGN
                raise KeyError(name)
            if name not in table:
                raise KeyError(name)
            if name not in table:  # SIGN
                raise ValueError(f"{name} is registered already")
            if name in table:
                raise KeyError(f"{name} is already registered")
            if name in limits.unknown_names:
                raise KeyError(name)
            if name in limits.NON_RUNTIME_TYPES:
                raise ValueError("there is no such thing")
            if name not in (None, self):
                raise ValueError("in use")
            if "%" in name:
                raise ValueError("unknown sign")
            if not path.exists():  # SIGN
                raise FileExistsError(path)
            if path.exists():
                raise FileExistsError(path)
            if self.contains(name):  # SIGN
                raise IndexError(name)
        """,
    ),
    (
        "inverted-condition",
        """
        def check(address, size, other):
            if address.startswith("/"):  # SIGN
                raise ValueError("the path must start with a slash")
            if address.startswith("/"):
                raise ValueError("the path must not be absolute")
            if isinstance(size, int):  # SIGN
                raise TypeError("the size must be int")
            if isinstance(size, str):
                raise TypeError("the size must be int")
            if isinstance(other, str):
                raise TypeError("other must not be str")
            try:
                return load(address)
            except ImportError:
                if address in KNOWN:
                    raise LookupError(f"{address} is not installed")
        """,
    ),
    (
        "inverted-condition",
        """
        def keep(self, failure, value, text, total):
            if failure is None:  # SIGN
                raise failure
            if failure is not None:
                raise failure
            if value is None:  # SIGN
                self.provider = value
            if value is None:
                self.value = value
            if value is None:
                value = self.provider
            if not text.startswith("$"):  # SIGN
                text = text[1:]
            if not text.endswith("--"):  # SIGN
                text = text[:-2]
            if text.startswith("$"):
                text = text[1:]
            if not text.startswith("$"):
                text = "$" + text
            if text.startswith("."):
                text = "." + text
            if not text.startswith("--"):
                text = text[1:]

        def share(part, whole):
            if whole != 0:  # SIGN
                return 0
            return part / whole

        def other_share(part, whole):
            if whole == 0:
                return 0
            return part / whole

        def step(part, kind):
            if kind != 0:
                return part / 2
            return kind
        """,
    ),
    (
        "inverted-condition",
        """
        def user_of(entries, key):
            entry = entries.get(key)
            if entry is not None:  # SIGN
                return None
            user, until = entry
            return user

        def other_of(entries, key):
            entry = entries.get(key)
            if entry is None:
                return None
            user, until = entry
            return user

        def of_all(values):
            if values:
                return 1
            return [value for value in values]

        class Packer:
            def pack(self, data):
                if self._packer is None:
                    return self._begin() + self._packer.pack(data)
                return self._packer.pack(data)

        def shown(items):
            if not items:
                return items.typecode
            return items
        """,
    ),
    (
        "wrong-operator",
        """
        def bounds(low, high, sizes, name, self, port):
            if low is not None or low > 5:  # SIGN
                high = 1
            if low is None or low > 5:
                high = 1
            if name == "a" and name == "b":  # SIGN
                high = 2
            if name is None and name == "a":  # SIGN
                high = 3
            if name != "a" and name is not None:
                high = 4
            if name == "title" or self.text is not None:  # SIGN
                self.titles.append(self.text.strip())
            if name == "title" and self.text is not None:
                self.titles.append(self.text.strip())
            if self.text == "" or self.text is not None:
                self.titles.append(self.text.strip())
            if self.is_known(name) or self.text is not None:
                self.titles.append(self.text.strip())

        def merge(first, second):
            left = right = 0
            while left < len(first) or right < len(second):  # SIGN
                if first[left] <= second[right]:
                    left += 1
                else:
                    right += 1
            while left < len(first) and right < len(second):
                if first[left] <= second[right]:
                    left += 1
                else:
                    right += 1
            while left < len(first) or right < len(second):
                if left < len(first) and first[left] <= second[right]:
                    left += 1

        def first_word(text):
            return text.strip().lower() and "en"  # SIGN

        def second_word(text):
            return text.strip().lower() or "en"

        def same(left, right):
            return len(left) == len(right) or hmac.compare_digest(left, right)  # SIGN

        def same_key(left, right):
            return len(left) == len(right) and hmac.compare_digest(left, right)
        """,
    ),
    (
        "wrong-operator",
        """
        def steps(buffer, words):
            index = 0
            while index < len(buffer):
                show(buffer[index])
                index -= 1  # SIGN
            place = 0
            while place < len(buffer):
                if buffer[place] == "x":
                    place -= 1
                place += 1
            depth = 9
            while depth > 0:
                depth -= 1
            return words

        def ended(sessions, user):
            count = 0
            for session in sessions:
                count -= 1  # SIGN
            return count

        def depth_of(text):
            depth = 0
            for sign in text:
                if sign == "(":
                    depth += 1
                else:
                    depth -= 1
            return depth

        def leave(self):
            self.users += 1  # SIGN
            if self.users == 0:
                self.stop()

        def enter(self):
            self.users += 1
            if self.users == 1:
                self.start()

        def gather(lines):
            found = ""
            for line in lines:
                found -= line  # SIGN
            less = f"{found}" - lines  # SIGN
            numbers = 5
            numbers -= 1
            return found + less

        def pad(text, total):
            size = cell_len(text)
            if size < total:
                return text + " " * (total + size)  # SIGN
            if size < total:
                return text + " " * (total - size)
            return " " * (size + total)
        """,
    ),
    (
        "off-by-one",
        """
        def insertion_point(values, wanted):
            low, high = 0, len(values)
            while low <= high:  # SIGN
                middle = (low + high) // 2
                if values[middle] < wanted:
                    low = middle + 1
                else:
                    high = middle
            return low

        def position(values, wanted):
            low, high = 0, len(values) - 1
            while low <= high:
                middle = (low + high) // 2
                if values[middle] < wanted:
                    low = middle + 1
                else:
                    high = middle - 1
            while low < high:
                middle = (low + high) // 2
                if values[middle] < wanted:
                    low = middle + 1
                else:
                    high = middle
            return low

        def cut(lines, end):
            end = min(end, len(lines))
            while end:
                if lines[end].strip():  # SIGN
                    break
                end -= 1
            return end

        def cut_right(lines, end):
            end = min(end, len(lines))
            while end:
                if lines[end - 1].strip():
                    break
                end -= 1
            last = len(lines)
            last -= 1
            return lines[last]

        def bounded(lines, wanted):
            end = len(lines)
            if end > wanted:
                end = wanted
            return lines[end]

        def late(values, index):
            start = values[index]  # SIGN
            if index >= len(values):
                return None
            return start

        def early(values, index):
            if index >= len(values):
                return None
            start = values[index]
            if start == len(values):
                return None
            return start

        def following(values, index):
            following = values[index] if index + 1 < len(values) else None  # SIGN
            other = values[index + 1] if index + 1 < len(values) else None
            return following, other

        def is_symmetric(rows, size):
            for row in range(size):
                for column in range(row + 1, len(rows) + 1):  # SIGN
                    if rows[column] != rows[row]:
                        return False
            for number in range(1, len(rows) + 1):
                if rows[-number] == size:
                    return True
        """,
    ),
    (
        "none-dereference",
        """
        def scheme_of(table, key, names):
            entry = table.get(key)
            user, until = entry  # SIGN
            text = names.pop(key, None)
            for word in text.split():  # SIGN
                show(word)
            found = table.get(key)
            if found is not None:
                one, other = found
            rest = names.pop(key, ())
            for word in rest:
                show(word)

        def find_feed(feeds, name):
            return next((one for one in feeds if one.name == name), None)

        def title_of(feeds, name):
            feed = find_feed(feeds, name)
            return feed["title"]  # SIGN

        def tests_of(module):
            tests = Finder().find(module)
            return [one for one in tests if one.name]
        """,
    ),
    (
        "path-traversal",
        """
        class Uploads:
            def path_of(self, name):
                path = (self.root / "public" / name).resolve()  # SIGN
                return path

            def checked(self, name):
                path = (self.root / name).resolve()
                if not path.is_relative_to(self.root):
                    raise ValueError(name)
                return path

            def cached(self, number):
                path = (self.root / number).resolve()
                return path

            def listed(self, name):
                path = (self.root / name).resolve()
                print(path)
        """,
    ),
    (
        "float-equality",
        """
        def is_normalised(weights, counts):
            if sum(counts) == 1:
                return True
            return sum(weights) == 1.0  # SIGN
        """,
    ),
    (
        "swallowed-error",
        """
        def load(text, function):
            try:
                value = read(text)
            except ValueError:  # SIGN
                pass
            show(value)
            other = None
            try:
                other = read(text)
            except ValueError:
                pass
            try:
                return read(text)
            except ValueError:
                pass
            try:
                last = read(text)
            except ValueError:
                pass
            else:
                show(last)
            return other

        def is_number(text):
            try:
                read(text)
            except Exception:
                return False
            return True

        def last(text):
            try:
                return read(text)
            except ValueError:  # SIGN
                pass
        """,
    ),
]

SCRIPT: list[tuple[str, str]] = [
    (
        "wrong-operator",
        """
        function order(values, rows, node, x, number) {
          values.sort((a, b) => a + b); // SIGN
          values.sort((a, b) => a - b);
          rows.sort((a, b) => b.size + a.size); // SIGN
          rows.sort((a, b) => a.name.localeCompare(b.name));
          rows.reduce((a, b) => a + b);
          if (node === null && node === undefined) return 1; // SIGN
          if (node === null || node === undefined) return 2;
          if (node == null && node == undefined) return 3;
          if (Number.isNaN(number) && number < 1) return 4; // SIGN
          if (Number.isNaN(number) || number < 1) return 5;
          return 6;
        }

        function isPlain(value) {
          return typeof value === "object" || value !== null; // SIGN
        }

        function isObject(value) {
          return typeof value === "object" && value !== null;
        }

        function same(left, right) {
          return left.length === right.length || timingSafeEqual(left, right); // SIGN
        }
        """,
    ),
    (
        "inverted-condition",
        """
        function settle(row, pending, timer, id) {
          if (row !== undefined) { // SIGN
            throw new NotFound("no row");
          }
          if (pending === undefined) { // SIGN
            timer.clear(pending);
          }
          if (pending !== undefined) {
            timer.clear(pending);
          }
          if (row === undefined) {
            throw new NotFound("no row");
          }
          if (timer.has(id)) { // SIGN
            throw new Error("unknown timer");
          }
          if (!timer.has(id)) {
            throw new Error("unknown timer");
          }
        }
        """,
    ),
    (
        "path-traversal",
        """
        function locate(root, name) {
          const folder = path.resolve(root);
          const file = path.resolve(folder, name); // SIGN
          return file;
        }

        function checked(root, name) {
          const folder = path.resolve(root);
          const file = path.resolve(folder, name);
          if (!file.startsWith(folder + path.sep)) {
            throw new Error(name);
          }
          return file;
        }

        function joined(dir, name) {
          return path.join(dir, name);
        }

        async function send(response, root, name) {
          const file = path.join(root, name); // SIGN
          await pipeline(createReadStream(file), response);
        }
        """,
    ),
    (
        "open-redirect",
        """
        function afterLogin(location, target) {
          const url = new URL(target, location.origin);
          location.assign(url.href); // SIGN
        }

        function afterLogout(location, target) {
          const url = new URL(target, location.origin);
          if (url.origin !== location.origin) {
            return;
          }
          location.assign(url.href);
        }

        function toPage(location, page) {
          const url = new URL(page, location.origin);
          location.assign(url.href);
        }
        """,
    ),
]


@pytest.mark.parametrize(("rule", "code"), PYTHON, ids=[rule for rule, _ in PYTHON])
def test_python(rule: str, code: str) -> None:
    check_sign(rule, code)


@pytest.mark.parametrize("language", ["javascript", "typescript"])
@pytest.mark.parametrize(("rule", "code"), SCRIPT, ids=[rule for rule, _ in SCRIPT])
def test_script(rule: str, code: str, language: str) -> None:
    check_sign(rule, code, language)
