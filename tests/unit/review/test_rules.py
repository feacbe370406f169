"""A rule is offered only where its signs are seen."""

import pytest

from sirdab.config.schema import ReviewSettings, all_settings
from sirdab.review import rules, units
from sirdab.text.store import Text

ALL = ReviewSettings().categories

# Rules of which patterns are the sign; those with a structure are in test_signs.py.
SHOWN = [
    ("sql-injection", "java", 'db.query("SELECT a FROM b WHERE c = " + name);'),
    ("sql-injection", "go", 'db.Query(fmt.Sprintf("SELECT a FROM b WHERE c = %s", name))'),
    ("sql-injection", "php", '$db->query("SELECT a FROM b WHERE c = \'" . $name . "\'");'),
    ("command-injection", "php", "shell_exec($command);"),
    ("code-injection", "ruby", "eval(params[:x])"),
    ("code-injection", "lua", "loadstring(text)()"),
    ("unsafe-deserialization", "python", "pickle.loads(request.body)"),
    ("unsafe-deserialization", "python", "yaml.load(text)"),
    ("unsafe-deserialization", "java", "Object a = stream.readObject();"),
    ("path-traversal", "go", 'os.Open(filepath.Join(root, request.URL.Query().Get("name")))'),
    ("weak-hash", "go", "token := md5.Sum(password)"),
    ("insecure-random", "go", "token := rand.Intn(100)"),
    ("disabled-verification", "python", "requests.get(url, verify=False)"),
    ("disabled-verification", "go", "config := &tls.Config{InsecureSkipVerify: true}"),
    (
        "disabled-verification",
        "javascript",
        "const agent = new Agent({rejectUnauthorized: false});",
    ),
    ("disabled-verification", "python", 'jwt.decode(t, options={"verify_signature": False})'),
    ("insecure-temp-file", "python", "path = tempfile.mktemp()"),
    ("insecure-temp-file", "python", 'path = os.path.join(tempfile.gettempdir(), "fixed")'),
    ("debug-enabled", "python", "app.run(debug=True)"),
    ("debug-enabled", "python", "DEBUG = True"),
    ("xml-entities", "python", "parser = etree.XMLParser(resolve_entities=True)"),
    ("cross-site-scripting", "php", "echo $_GET['name'];"),
    ("weak-cipher", "python", "cipher = AES.new(key, AES.MODE_ECB)"),
    ("weak-cipher", "javascript", 'const c = createCipheriv("des-ecb", key, null);'),
    ("weak-permissions", "python", "os.chmod(path, 0o777)"),
    ("weak-permissions", "javascript", "fs.chmodSync(path, 0o666);"),
    ("bind-all-interfaces", "python", 'serve(host="0.0.0.0")'),
    ("hard-coded-secret", "python", 'password = "REDACTED"'),
    ("naive-datetime", "python", "now = datetime.utcnow()"),
    ("naive-datetime", "python", "now = datetime.datetime.now()"),
    ("off-by-one", "c", "for (i = 0; i <= strlen(s); i++) f(s[i]);"),
    ("off-by-one", "java", "for (int i = 0; i <= a.length; i++) { f(a[i]); }"),
    ("division-by-zero", "go", "average := sum / len(values)"),
    ("swallowed-error", "java", "try { f(); } catch (Exception e) {}"),
    ("resource-leak", "go", "file, err := os.Open(path)"),
    ("quadratic-loop", "java", "for (int a : b) {\n  list.remove(0);\n}"),
    ("query-in-loop", "java", "for (int id : ids) {\n  s.executeQuery(q);\n}"),
    ("string-building", "java", 'for (int a : b) {\n  text += "x" + a;\n}'),
]

SILENT = [
    ("python", 'print("select one " + name)'),
    ("python", "yaml.load(text, Loader=SafeLoader)"),
    ("python", "delay = random.random()"),
    ("python", "# eval(text) and os.system(command)"),
    ("python", "now = datetime.now(timezone.utc)"),
    ("python", "requests.get(url, timeout=5, verify=True)"),
    ("python", "os.chmod(path, 0o755)"),
    ("python", "logger.setup(debug=True)"),
    ("python", "app.run(debug=False)"),
    ("python", "password = settings.password"),
    ("javascript", "for (let i = 0; i < a.length; i++) { f(a[i]); }"),
    ("go", "file, err := os.Open(path)\ndefer file.Close()"),
    ("go", "if len(values) == 0 { return 0 }\naverage := sum / len(values)"),
    ("java", "for (int i = 0; i < a.length; i++) { f(a[i]); }"),
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


def test_every_rule_with_patterns_only_is_seen_somewhere() -> None:
    plain = {rule.id for rule in rules.all_rules() if not rule.structure}
    assert plain <= {rule for rule, _, _ in SHOWN}


def test_rules_are_whole() -> None:
    for rule in rules.all_rules():
        assert rule.structure or rule.signs, rule.id
        for sentence in (rule.why, rule.cure):
            assert sentence.endswith("."), rule.id
            assert not sentence[0].islower(), rule.id
        assert not rule.title.endswith("."), rule.id
        assert not rule.ask.endswith("."), rule.id
        assert set(rule.tags) <= {"unnecessary", "deprecated"}, rule.id
        assert rule.grade in ("proof", "sign"), rule.id
        assert rule.vote in ("rewrite", "verdict", "none"), rule.id
        assert 0 < rule.confidence <= 1


def test_only_the_categories_that_are_wanted() -> None:
    content = "def f(a=[]):\n    a.append(eval(a))"
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
