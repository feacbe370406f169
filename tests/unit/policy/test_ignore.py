"""Which files are kept from the model."""

import os
from pathlib import Path

import pytest

from sirdab.policy import ignore
from sirdab.policy.ignore import ExclusionRules

Tree = dict[str, str]


def lay(folder: Path, tree: Tree) -> None:
    for name, content in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def excluded(folder: Path, name: str, *globs: str) -> str | None:
    return ExclusionRules(globs, [str(folder)]).is_excluded(str(folder / name))


def check(folder: Path, tree: Tree, verdicts: dict[str, bool], *globs: str) -> None:
    lay(folder, tree)
    found = {name: excluded(folder, name, *globs) is not None for name in verdicts}
    assert found == verdicts


@pytest.mark.parametrize(
    "name",
    [
        ".env", ".env.local", ".ENV", "prod.env", ".envrc", "server.pem", "Server.PEM", "tls.key",
        "a.cert", "a.crt", "a.p12", ".dev.vars", "secrets.yml", "secrets.json", "id_rsa",
        "id_rsa.pub", "id_ed25519", "pass.kdbx", ".npmrc", ".pypirc", ".netrc", "_netrc",
        ".git-credentials", "credentials", "terraform.tfstate", "terraform.tfstate.backup",
        "deep/down/.env", ".aws/config", "home/.ssh/config", "a/.SSH/known_hosts", "secrets/db.txt",
    ],
)  # fmt: skip
def test_files_that_hold_secrets_are_excluded_everywhere(tmp_path: Path, name: str) -> None:
    assert "built-in" in (excluded(tmp_path, name) or "")
    # Without any workspace as well.
    assert ExclusionRules((), ()).is_excluded(str(tmp_path / name))


# Zed: `edit_predictions.disabled_globs` of assets/settings/default.json.
ZED = [
    ".env", ".env.local", ".envrc", "a.pem", "a.key", "a.cert", "a.crt", ".dev.vars", "secrets.yml",
]  # fmt: skip
# Continue: core/indexing/ignore.ts, `DEFAULT_SECURITY_IGNORE_FILETYPES` and `..._DIRS`.
CONTINUE = [
    "a.env", "a.env.b", ".env", "config.json", "config.yaml", "config.yml", "settings.json",
    "appsettings.json", "appsettings.Development.json", "a.key", "a.pem", "a.p12", "a.pfx", "a.crt",
    "a.cer", "a.jks", "a.keystore", "a.truststore", "a.db", "a.sqlite", "a.sqlite3", "a.mdb",
    "a.accdb", "a.secret", "a.secrets", "auth.json", "a.token", "a.bak", "a.backup", "a.old",
    "a.orig", "docker-compose.override.yml", "docker-compose.override.yaml", "id_rsa", "id_dsa",
    "id_ecdsa", "id_ed25519", "a.ppk", "a.gpg",
    ".env/a", "env/a", ".aws/a", ".gcp/a", ".azure/a", ".kube/a", ".docker/a", "secrets/a",
    ".secrets/a", "private/a", ".private/a", "certs/a", "certificates/a", "keys/a", ".ssh/a",
    ".gnupg/a", ".gpg/a", "tmp/secrets/a", "temp/secrets/a", ".tmp/a",
]  # fmt: skip


@pytest.mark.parametrize("name", sorted({*ZED, *CONTINUE}))
def test_what_zed_and_continue_exclude_is_excluded(tmp_path: Path, name: str) -> None:
    assert "built-in" in (excluded(tmp_path / "deep" / "down", name) or "")


@pytest.mark.parametrize(
    "path",
    [
        # Paths of Windows are judged as such everywhere.
        "C:\\Users\\me\\.env",
        "c:/Users/me/.ssh/config",
        "\\\\server\\share\\id_rsa",
        "//server/share/.aws/credentials",
        "\\\\?\\C:\\work\\server.pem",
        "C:\\work\\.ENV.",
        "C:\\work\\.env ",
        "C:\\work\\.env. .",
        "C:\\work\\.env::$DATA",
        "C:\\work\\server.key:stream",
        "C:\\work\\.SSH.\\config",
        # Letters that a file system which takes no notice of case takes for others.
        "/work/\u017fecrets/a",
        "/work/id_r\u017fa",
        "/work/.ss\uff28/config",
        "/work/a.\u212aEY",
        # What HFS+ does not see (CVE-2014-9390).
        "/work/.e\u200cnv",
        "/work/.s\u200dsh/config",
    ],
)
def test_no_other_spelling_of_a_name_opens_it(path: str) -> None:
    assert "built-in" in (ExclusionRules((), ()).is_excluded(path) or "")


@pytest.mark.parametrize(
    "name",
    [
        "main.py", "environment.py", "env.py", "keys.py", "key", "monkey.py", "pem.py", "secret.py",
        "credentials.py", "src/secretsmanager/x.py", "aws/config.py", "README.md", ".gitignore",
    ],
)  # fmt: skip
def test_ordinary_files_are_allowed(tmp_path: Path, name: str) -> None:
    check(tmp_path, {}, {name: False})


def test_the_verdict_names_the_rule(tmp_path: Path) -> None:
    lay(tmp_path, {".gitignore": "# built\n\n*.log\n"})
    for name, rule in (
        ("a.pem", "*.pem"),
        ("config.json", "config.json"),
        (".ssh/x", ".ssh/"),
        ("src/keys/a.py", "keys/"),
    ):
        said = excluded(tmp_path, name) or ""
        assert said.startswith(f"the built-in rule {rule} (")
        # Who wonders about an ordinary name is told why, and that looking for a switch is vain.
        assert "hold secrets" in said
        assert "no setting" in said
    assert excluded(tmp_path, "a.log") == f"{tmp_path / '.gitignore'}: *.log"
    assert excluded(tmp_path, "x/a.sql", "*.sql") == "privacy.exclude: *.sql"


@pytest.mark.parametrize(
    ("glob", "name", "expect"),
    [
        ("*.sql", "deep/a.sql", True),
        ("*.SQL", "a.sql", True),
        ("*.sql", "a.SQL", True),
        ("inner/**", "inner/a/b.py", True),
        ("inner/", "x/inner/b.py", True),
        ("/inner", "x/inner/b.py", False),
        ("/inner", "inner/b.py", True),
        ("É.py", "é.py", True),
        ("é.py", "e\u0301.py", True),
        ("!main.py", "main.py", False),
        ("", "main.py", False),
        ("!", "main.py", False),
    ],
)
def test_the_users_globs_are_added(tmp_path: Path, glob: str, name: str, expect: bool) -> None:
    check(tmp_path, {}, {name: expect}, glob)


def test_the_users_globs_cannot_take_built_in_rules_away(tmp_path: Path) -> None:
    check(tmp_path, {}, {".env": True}, "!.env")


def test_a_relative_glob_does_not_look_above_the_workspace(tmp_path: Path) -> None:
    check(tmp_path / "build" / "app", {}, {"a.py": False, "build/a.py": True}, "build/")


def test_the_users_globs_may_be_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(tmp_path, {}, {"work/a.py": True, "b.py": False}, f"{tmp_path.as_posix()}/work/**")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    check(tmp_path, {}, {"work/a.py": True, "b.py": False}, "~/work/")


@pytest.mark.parametrize(
    ("tree", "verdicts"),
    [
        # gitignore(5): anchoring, folders, negation, the last match wins.
        ({".gitignore": "*.log\n!keep.log\n"}, {"a.log": True, "x/keep.log": False}),
        ({".gitignore": "/build\n"}, {"build/a": True, "x/build/a": False}),
        ({".gitignore": "out/\n"}, {"x/out/a": True, "out": False}),
        ({".gitignore": "# a\n\\#b\n"}, {"# a": False, "#b": True}),
        ({".gitignore": "a.py\r\nb.py\r\n"}, {"a.py": True, "b.py": True, "c.py": False}),
        ({".gitignore": "\ufeffa.py\n"}, {"a.py": True}),
        # A nearer file overrides a farther one ...
        ({".gitignore": "*.log\n", "x/.gitignore": "!a.log\n"}, {"x/a.log": False, "a.log": True}),
        ({"x/.gitignore": "a.py\n"}, {"x/a.py": True, "x/y/a.py": True, "a.py": False}),
        ({"x/.gitignore": "/a.py\n"}, {"x/a.py": True, "x/y/a.py": False}),
        # ... but brings nothing back from an excluded folder.
        ({".gitignore": "x/\n", "x/.gitignore": "!*\n"}, {"x/a.py": True}),
        # Lines that are no patterns match nothing.
        ({".gitignore": "!\n/\n\n*.log\n"}, {"a.log": True, "a.py": False}),
        ({".gitignore": ""}, {"a.py": False}),
        # Each kind of file speaks for itself: one cannot take back another's.
        ({".gitignore": "a.py\n", ".aiignore": "!a.py\n"}, {"a.py": True}),
        ({".aiignore": "a.py\n"}, {"a.py": True, "b.py": False}),
        ({".cursorignore": "*\n!b.py\n"}, {"a.py": True, "b.py": False}),
        ({"x/.codeiumignore": "gen\n"}, {"x/gen/a.py": True, "gen/a.py": False}),
        ({".geminiignore": "a.py\n"}, {"a.py": True}),
        ({".copilotignore": "a.py\n"}, {"a.py": True}),
        # An empty .aiexclude excludes everything below it, and negation is not spoken.
        ({"x/.aiexclude": ""}, {"x/a.py": True, "x/y/a.py": True, "a.py": False}),
        ({"x/.aiexclude": "# all\n\n"}, {"x/a.py": True}),
        ({".aiexclude": "*.py\n!b.py\n"}, {"a.py": True, "b.py": True, "c.js": False}),
        ({".aiexclude": "!a.py\n"}, {"a.py": True}),
        # As Git does and Cursor's documentation says: not from below an excluded folder.
        ({".cursorignore": "public/*\n!public/assets/a.css\n"}, {"public/assets/a.css": True}),
        ({".aiignore": "*.java\n!src/**/*.java\n"}, {"a.java": True, "src/x/a.java": False}),
        # The exclude file of a repository.
        ({".git/info/exclude": "*.tmp\n"}, {"a.tmp": True, "a.py": False}),
    ],
)
def test_ignore_files_are_honoured(tmp_path: Path, tree: Tree, verdicts: dict[str, bool]) -> None:
    check(tmp_path, tree, verdicts)


def test_ignore_files_above_the_workspace_count_up_to_the_repository(tmp_path: Path) -> None:
    lay(tmp_path, {".gitignore": "*.py\n", "repo/.git/HEAD": "", "repo/.gitignore": "*.log\n"})
    assert excluded(tmp_path / "repo" / "app", "a.log")
    assert excluded(tmp_path / "repo" / "app", "a.py") is None


def test_a_file_outside_every_workspace_meets_built_in_and_user_rules_only(tmp_path: Path) -> None:
    lay(tmp_path, {"other/.gitignore": "*\n", "app/.gitignore": "*\n"})
    rules = ExclusionRules(["*.sql"], [str(tmp_path / "app")])
    assert rules.is_excluded(str(tmp_path / "other" / "a.py")) is None
    assert rules.is_excluded(str(tmp_path / "application" / "a.py")) is None
    assert rules.is_excluded(str(tmp_path / "other" / "a.sql"))
    assert rules.is_excluded(str(tmp_path / "other" / ".env"))


def test_every_workspace_folder_counts(tmp_path: Path) -> None:
    lay(tmp_path, {"a/.gitignore": "x.py\n", "b/.gitignore": "y.py\n"})
    rules = ExclusionRules((), [str(tmp_path / "a"), str(tmp_path / "b")])
    assert rules.is_excluded(str(tmp_path / "a" / "x.py"))
    assert rules.is_excluded(str(tmp_path / "b" / "y.py"))
    assert rules.is_excluded(str(tmp_path / "b" / "x.py")) is None


def test_changes_of_ignore_files_are_seen(tmp_path: Path) -> None:
    rules = ExclusionRules((), [str(tmp_path)])
    path = str(tmp_path / "a.py")
    assert rules.is_excluded(path) is None
    lay(tmp_path, {".aiignore": "a.py\n"})
    assert rules.is_excluded(path)
    lay(tmp_path, {".aiignore": "other.py\n"})
    assert rules.is_excluded(path) is None
    lay(tmp_path, {".aiignore": "a.py\n"})
    assert rules.is_excluded(path)
    (tmp_path / ".aiignore").unlink()
    assert rules.is_excluded(path) is None


def test_an_ignore_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, {".gitignore": "*.log\n"})
    monkeypatch.setattr(ignore, "_SETTLED_NS", 0)
    rules = ExclusionRules((), [str(tmp_path)])
    assert rules.is_excluded(str(tmp_path / "a.log"))

    def fail(*args: object, **kwargs: object) -> None:
        raise AssertionError(args, kwargs)

    monkeypatch.setattr(ignore, "_content", fail)
    monkeypatch.setattr(ignore, "_parse_rules", fail)
    assert rules.is_excluded(str(tmp_path / "a.log"))
    assert rules.is_excluded(str(tmp_path / "b.py")) is None


def test_a_change_that_the_clock_of_the_file_system_does_not_show_is_seen(tmp_path: Path) -> None:
    place = tmp_path / ".gitignore"
    rules = ExclusionRules((), [str(tmp_path)])
    for number in range(200):
        # As large as before, and mostly within the same tick.
        place.write_text("a.py\n" if number % 2 else "b.py\n")
        assert bool(rules.is_excluded(str(tmp_path / "a.py"))) is bool(number % 2)


def test_what_is_known_of_a_file_is_not_read_anew_while_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path, {".gitignore": "*.log\n"})
    rules = ExclusionRules((), [str(tmp_path)])
    assert rules.is_excluded(str(tmp_path / "a.log"))
    monkeypatch.setattr(ignore, "_parse_rules", None)
    assert rules.is_excluded(str(tmp_path / "a.log"))


@pytest.mark.parametrize("name", [".gitignore", ".aiignore", ".cursorignore"])
def test_an_ignore_file_that_cannot_be_read_excludes_its_folder(tmp_path: Path, name: str) -> None:
    # A folder in its place cannot be read by anyone, not even by root.
    (tmp_path / "x" / name).mkdir(parents=True)
    check(tmp_path, {}, {"x/a.py": True, "x/y/a.py": True, "a.py": False})


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="root and Windows read what has mode 000"
)
def test_an_ignore_file_without_permission_excludes_its_folder(tmp_path: Path) -> None:
    lay(tmp_path, {"x/.gitignore": ""})
    (tmp_path / "x" / ".gitignore").chmod(0)
    check(tmp_path, {}, {"x/a.py": True, "a.py": False})


def test_a_huge_ignore_file_excludes_its_folder(tmp_path: Path) -> None:
    lay(tmp_path, {".gitignore": "# x\n" * 300_000})
    check(tmp_path, {}, {"a.py": True})


@pytest.mark.parametrize(
    "content", ["a\n" * 20_000, "*a*\n" * 5_000, "?" * 50_000], ids=["lines", "patterns", "line"]
)
def test_an_ignore_file_that_would_take_long_excludes_its_folder(
    tmp_path: Path, content: str
) -> None:
    lay(tmp_path, {".gitignore": content})
    check(tmp_path, {}, {"b.py": True})


def test_the_verdict_is_safe_to_print(tmp_path: Path) -> None:
    lay(tmp_path, {".gitignore": "a*\x1b]0;title\x07\u202e\n*.log\x1b*\n*\n"})
    for name in ("a\x1b]0;title\x07\u202e", "b.log\x1b[2J", "c"):
        rule = excluded(tmp_path, name)
        assert rule
        assert rule.isprintable()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
@pytest.mark.parametrize("name", [".gitignore", ".cursorignore", ".git/info/exclude"])
def test_a_pipe_in_place_of_an_ignore_file_excludes_its_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    check(tmp_path, {}, {"a.py": True})


def test_a_link_in_place_of_an_ignore_file_is_followed_to_a_file_alone(tmp_path: Path) -> None:
    lay(tmp_path, {"rules": "a.py\n", "x/keep": "", "y/keep": ""})
    try:
        (tmp_path / "x" / ".gitignore").symlink_to(tmp_path / "rules")
        (tmp_path / "y" / ".gitignore").symlink_to(os.devnull)
        (tmp_path / "z").mkdir()
        (tmp_path / "z" / ".gitignore").symlink_to(".gitignore")
    except OSError:
        pytest.skip("links cannot be made here")
    check(tmp_path, {}, {"x/a.py": True, "x/b.py": False, "y/b.py": True, "z/b.py": True})


def test_the_exclude_file_of_a_worktree_and_of_a_submodule_is_found(tmp_path: Path) -> None:
    lay(
        tmp_path,
        {
            "main/.git/info/exclude": "*.tmp\n",
            "main/.git/worktrees/w/commondir": "../..\n",
            "tree/.git": f"gitdir: {tmp_path / 'main/.git/worktrees/w'}\n",
            "main/.git/modules/m/info/exclude": "*.sub\n",
            "main/m/.git": "gitdir: ../.git/modules/m\n",
            "odd/.git": "nothing\n",
        },
    )
    check(tmp_path / "tree", {}, {"a.tmp": True, "a.py": False})
    check(tmp_path / "main" / "m", {}, {"a.sub": True, "a.py": False})
    check(tmp_path / "odd", {}, {"a.py": False})


def test_ignore_files_of_the_user_count_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path, {"home/.codeium/.codeiumignore": "*.one\n", "xdg/git/ignore": "*.two\n/top\n"})
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    verdicts = {"x/a.one": True, "a.two": True, "top": True, "x/top": False, "a.py": False}
    check(tmp_path / "work", {}, verdicts)


def test_an_ignore_file_in_another_encoding_still_works(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9.txt\n*.log\n")
    check(tmp_path, {}, {"a.log": True, "a.py": False})


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    lay(tmp_path, {"real/.env": "", "real/a.py": "", "app/b.py": "", "app/.gitignore": "gen/\n"})
    try:
        (tmp_path / "app" / "notes.py").symlink_to(tmp_path / "real" / ".env")
        (tmp_path / "app" / "id_rsa").symlink_to(tmp_path / "real" / "a.py")
        (tmp_path / "app" / "loop.py").symlink_to(tmp_path / "app" / "loop.py")
        (tmp_path / "app" / "gen").symlink_to(tmp_path / "real", target_is_directory=True)
        (tmp_path / "door").symlink_to(tmp_path / "app", target_is_directory=True)
    except OSError:
        pytest.skip("links cannot be made here")
    return tmp_path


def test_a_link_is_judged_by_its_name_and_by_what_it_points_to(linked: Path) -> None:
    names = {"notes.py": True, "id_rsa": True, "b.py": False, "gen/a.py": True}
    check(linked / "app", {}, names)


def test_a_workspace_may_be_opened_through_a_link(linked: Path) -> None:
    lay(linked, {"app/.aiignore": "b.py\n"})
    for folder in ("app", "door"):
        for path in ("app", "door"):
            rules = ExclusionRules((), [str(linked / folder)])
            assert rules.is_excluded(str(linked / path / "b.py")), (folder, path)


def test_a_loop_of_links_is_no_error(linked: Path) -> None:
    ExclusionRules((), [str(linked / "app")]).is_excluded(str(linked / "app" / "loop.py"))


def test_a_path_with_a_nul_is_excluded(tmp_path: Path) -> None:
    assert excluded(tmp_path, "a\0.py")


def test_names_are_folded_where_the_file_system_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path, {".gitignore": "Build/\n*.LOG\n"})
    name = str(tmp_path / "BUILD" / "a.py")
    monkeypatch.setattr(ignore, "_folds_case", lambda _: False)
    assert ExclusionRules((), [str(tmp_path)]).is_excluded(name) is None
    monkeypatch.setattr(ignore, "_folds_case", lambda _: True)
    rules = ExclusionRules((), [str(tmp_path)])
    assert rules.is_excluded(name)
    assert rules.is_excluded(str(tmp_path).upper() + "/a.log")


def test_whether_names_are_folded_is_found_out_where_the_files_are(tmp_path: Path) -> None:
    lay(tmp_path, {"one/a.py": "", "both/a.py": ""})
    (tmp_path / "both" / "A.PY").write_text("")
    folds = (tmp_path / "one" / "A.PY").exists()
    assert ignore._folds_case(str(tmp_path / "one")) is folds  # pyright: ignore[reportPrivateUsage]
    if not folds:
        (tmp_path / "one" / "A.PY").hardlink_to(tmp_path / "one" / "a.py")
        assert not ignore._folds_case(str(tmp_path / "one"))  # pyright: ignore[reportPrivateUsage]
