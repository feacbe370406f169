"""A rule is offered only where its signs are seen."""

import pytest

from sirdab.config.schema import ReviewSettings, all_settings
from sirdab.review import rules, units
from sirdab.text.store import Text

ALL = ReviewSettings().categories

SHOWN = [
    ("sql-injection", "python", 'db.execute("SELECT a FROM b WHERE c = " + name)'),
    ("sql-injection", "python", 'db.execute(f"SELECT a FROM b WHERE c = {name}")'),
    ("sql-injection", "python", "db.execute(\"DELETE FROM b WHERE c = '%s'\" % name)"),
    ("sql-injection", "javascript", "db.query(`SELECT a FROM b WHERE c = ${name}`);"),
    ("command-injection", "python", 'subprocess.run("ls " + name, shell=True)'),
    ("command-injection", "python", "os.system(command)"),
    ("command-injection", "javascript", "execSync(`ls ${name}`);"),
    ("code-injection", "python", 'return eval(request.args["x"])'),
    ("unsafe-deserialization", "python", "pickle.loads(request.body)"),
    ("unsafe-deserialization", "python", "yaml.load(text)"),
    ("path-traversal", "python", 'open(folder + request.args["name"])'),
    ("weak-hash", "python", "user.password = hashlib.md5(word).hexdigest()"),
    ("insecure-random", "javascript", "const token = Math.random().toString(36);"),
    ("disabled-verification", "python", "requests.get(url, verify=False)"),
    ("mutable-default", "python", "def add(item, items=[]):\n    return items"),
    ("mutable-default", "python", "def add(\n    item,\n    items={},\n):\n    return items"),
    ("off-by-one", "c", "for (i = 0; i <= strlen(s); i++) f(s[i]);"),
    ("off-by-one", "javascript", "for (let i = 0; i <= a.length; i++) { f(a[i]); }"),
    ("division-by-zero", "python", "return sum(values) / len(values)"),
    ("swallowed-error", "python", "try:\n    f()\nexcept:\n    pass"),
    ("resource-leak", "python", "file = open(path)\ndata = file.read()\nprint(data)"),
    ("identity-comparison", "python", 'if name is "x":\n    f()'),
    ("missing-await", "python", "async def f():\n    asyncio.sleep(1)\n    return 2"),
    ("quadratic-loop", "python", "for a in b:\n    if a not in c:\n        c.append(a)"),
    ("query-in-loop", "python", "for a in b:\n    db.execute(q, (a,))"),
    ("string-building", "python", 'for a in b:\n    text += "x" + a'),
]

SILENT = [
    ("python", 'db.execute("SELECT a FROM b WHERE c = ?", (name,))'),
    ("python", 'print("select one " + name)'),
    ("python", 'subprocess.run(["ls", name], check=True)'),
    ("python", 'subprocess.run("git status", shell=True, cwd=folder)'),
    ("python", "ast.literal_eval(text)"),
    ("python", "model.eval()"),
    ("python", "yaml.load(text, Loader=SafeLoader)"),
    ("python", "digest = hashlib.md5(data).hexdigest()"),
    ("python", "delay = random.random()"),
    ("python", "items = []\nfor a in b:\n    items.append(a)"),
    ("python", "if not values:\n    return 0\nreturn sum(values) / len(values)"),
    ("python", "with open(path) as file:\n    data = file.read()"),
    ("python", "file = open(path)\ntry:\n    f(file)\nfinally:\n    file.close()"),
    ("python", "if name is None:\n    f()"),
    ("python", "seen = set()\nfor a in b:\n    if a not in seen:\n        seen.add(a)"),
    ("python", "for a in b:\n    count += 1"),
    ("python", "# eval(text) and os.system(command)"),
    ("javascript", "for (let i = 0; i < a.length; i++) { f(a[i]); }"),
]


def offered(content: str, language: str, categories: tuple[str, ...] = ALL) -> set[str]:
    return {
        rule.id
        for unit in units.split(Text(content + "\n"), language)
        for rule in rules.candidates(unit, language, categories)
    }


@pytest.mark.parametrize(("rule", "language", "content"), SHOWN)
def test_a_sign_is_seen(rule: str, language: str, content: str) -> None:
    assert rule in offered(content, language)


@pytest.mark.parametrize(("language", "content"), SILENT)
def test_ordinary_code_shows_none(language: str, content: str) -> None:
    assert offered(content, language) == set()


def test_every_rule_is_seen_somewhere() -> None:
    assert {rule.id for rule in rules.all_rules()} == {rule for rule, _, _ in SHOWN}


def test_only_the_categories_that_are_wanted() -> None:
    content = "def f(a=[]):\n    return eval(a)"
    assert offered(content, "python", ("security",)) == {"code-injection"}
    assert offered(content, "python", ("correctness",)) == {"mutable-default"}
    assert offered(content, "python", ()) == set()


def test_the_categories_are_those_of_the_setting() -> None:
    setting = next(item for item in all_settings() if item.key == "review.categories")
    assert {rule.category for rule in rules.all_rules()} == set(setting.spec.item_values)


def test_the_names_are_unique_and_in_kebab_case() -> None:
    names = [rule.id for rule in rules.all_rules()]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").islower() for name in names)
