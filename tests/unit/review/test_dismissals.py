"""What is dismissed: in which project, under which names, by how many editors at once."""

import json
import stat
import sys
import threading
from pathlib import Path

import pytest

from sirdab.review import dismissals as module
from sirdab.review import dismissed_list
from sirdab.review.dismissals import Dismissals
from sirdab.review.finding import Finding
from sirdab.text.store import Point


def finding(fingerprint: str = "f" * 24, rule: str = "sql-injection") -> Finding:
    return Finding(Point(0, 0), Point(0, 1), "x", "security", rule, "error", "m", None, fingerprint)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "state" / "dismissed.json"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A Git repository with a file in a folder of it."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    (root / "src").mkdir()
    return root


def uri(path: Path) -> str:
    return path.as_uri()


def dismissed(store: Path, place: str, scope: str = "finding", rule: str = "sql-injection") -> None:
    Dismissals(store).dismiss("f" * 24, rule, place, scope)  # pyright: ignore[reportArgumentType]


def covers(store: Path, place: str, found: Finding | None = None, *folders: Path) -> bool:
    known = Dismissals(store, lambda: [str(folder) for folder in folders])
    known.refresh()
    return known.covers(found or finding(), place)


def test_a_finding_stays_dismissed_in_its_project_alone(
    store: Path, project: Path, tmp_path: Path
) -> None:
    dismissed(store, uri(project / "src" / "a.py"))
    assert covers(store, uri(project / "src" / "a.py"))
    # The file has been renamed, or the code was moved.
    assert covers(store, uri(project / "lib" / "deep" / "b.py"))
    assert not covers(store, uri(tmp_path / "other" / "a.py"))
    assert not covers(store, uri(tmp_path / "project2" / "src" / "a.py"))
    assert not covers(store, uri(project / "src" / "a.py"), finding("e" * 24))


def test_without_a_repository_the_workspace_folder_is_the_project(
    store: Path, tmp_path: Path
) -> None:
    root = tmp_path / "plain"
    known = Dismissals(store, lambda: [str(root)])
    known.dismiss("f" * 24, "sql-injection", uri(root / "src" / "a.py"), "finding")
    assert covers(store, uri(root / "lib" / "b.py"), None, root)
    # The command line knows the file's own folder alone.
    assert not covers(store, uri(root / "lib" / "b.py"))
    # What was dismissed before the folder became a repository is so still.
    (root / ".git").mkdir(parents=True)
    assert covers(store, uri(root / "lib" / "b.py"), None, root)


def test_a_file_that_is_alone_belongs_to_its_folder(store: Path, tmp_path: Path) -> None:
    dismissed(store, uri(tmp_path / "one" / "a.py"))
    assert covers(store, uri(tmp_path / "one" / "b.py"))
    assert not covers(store, uri(tmp_path / "two" / "a.py"))


def test_a_document_that_was_never_saved(store: Path) -> None:
    dismissed(store, "untitled:Untitled-1")
    assert covers(store, "untitled:Untitled-1")
    assert not covers(store, "file:///a/b.py")


def test_a_rule_here(store: Path, project: Path) -> None:
    place = uri(project / "src" / "a.py")
    dismissed(store, place, "rule-here")
    assert covers(store, place, finding("e" * 24))
    assert not covers(store, place, finding("e" * 24, "eval"))
    assert not covers(store, uri(project / "src" / "b.py"))
    assert Dismissals(store).renamed(place, uri(project / "src" / "b.py"))
    assert covers(store, uri(project / "src" / "b.py"))
    assert not covers(store, place)
    assert not Dismissals(store).renamed(place, uri(project / "src" / "c.py"))


def test_a_rule_anywhere(store: Path, project: Path, tmp_path: Path) -> None:
    dismissed(store, uri(project / "a.py"), "rule")
    assert covers(store, uri(tmp_path / "elsewhere.py"), finding("e" * 24))
    assert not covers(store, uri(project / "a.py"), finding(rule="eval"))


@pytest.mark.parametrize("scope", ["finding", "rule-here", "rule"])
def test_what_is_restored_is_shown_again(store: Path, project: Path, scope: str) -> None:
    place = uri(project / "a.py")
    dismissed(store, place, scope)
    dismissed(store, uri(project / "b.py"), "rule-here", "eval")
    known = Dismissals(store)
    assert known.restore([finding()], place) == 1
    assert not covers(store, place)
    assert known.restore([finding()], place) == 0
    # What hides nothing of that document is left alone.
    assert covers(store, uri(project / "b.py"), finding(rule="eval"))
    assert known.restore_all() == 1
    assert not covers(store, uri(project / "b.py"), finding(rule="eval"))


def test_a_rule_is_restored_in_a_document_that_shows_nothing_of_it(
    store: Path, project: Path
) -> None:
    place = uri(project / "a.py")
    dismissed(store, place, "rule-here")
    assert Dismissals(store).restore([], place) == 1
    assert not covers(store, place)


def test_the_form_of_version_1_is_still_read(store: Path, project: Path) -> None:
    place = uri(project / "a.py")
    here = module._digest(f"eval\0file://{(project / 'a.py').as_posix()}")
    store.parent.mkdir()
    store.write_text(
        json.dumps({"findings": ["f" * 24], "rulesHere": [here], "rules": ["weak-hash"]}),
        encoding="utf-8",
    )
    for found in (finding(), finding("e" * 24, "eval"), finding("e" * 24, "weak-hash")):
        assert covers(store, place, found)
    assert not covers(store, uri(project / "b.py"), finding("e" * 24, "eval"))
    # And kept when something is added.
    dismissed(store, uri(project / "b.py"), "rule", "new-rule")
    for found in (finding(), finding("e" * 24, "eval"), finding("e" * 24, "new-rule")):
        assert covers(store, place, found)
    assert Dismissals(store).restore([finding(), finding("e" * 24, "eval")], place) == 2
    assert not covers(store, place)


@pytest.mark.parametrize(
    "content", ['{"projects": 5}', '{"projects": {"a": {"findings": [1]}}}', '{"rules": [1, {}]}']
)
def test_entries_that_are_none_are_left_out(store: Path, project: Path, content: str) -> None:
    store.parent.mkdir()
    store.write_text(content, encoding="utf-8")
    place = uri(project / "a.py")
    assert not covers(store, place)
    dismissed(store, place)
    assert covers(store, place)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"version": 3, "rules": ["eval"]}',
        '{"version": "x"}',
        "[" * 100_000,
        "\0\xff",
    ],
    ids=["empty", "list", "cut", "newer", "no number", "deep", "binary"],
)
def test_what_cannot_be_read_is_not_written_over(store: Path, project: Path, content: str) -> None:
    store.parent.mkdir()
    store.write_bytes(content.encode("latin-1"))
    place = uri(project / "a.py")
    assert not covers(store, place)
    known = Dismissals(store)
    for change in (
        lambda: dismissed(store, place),
        lambda: known.restore([finding()], place),
        known.restore_all,
    ):
        with pytest.raises(OSError, match=r"damaged|newer"):
            change()
    assert store.read_bytes() == content.encode("latin-1")


def test_what_is_too_large_is_not_written_over(
    store: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = uri(project / "a.py")
    dismissed(store, place)
    before = store.read_bytes()
    monkeypatch.setattr(dismissed_list, "_MOST_BYTES", len(before) - 1)
    with pytest.raises(OSError, match="too large"):
        dismissed(store, place, "rule")
    assert store.read_bytes() == before


def test_what_was_known_holds_when_the_file_is_damaged(store: Path, project: Path) -> None:
    place = uri(project / "a.py")
    dismissed(store, place)
    known = Dismissals(store)
    known.refresh()
    store.write_text("{", encoding="utf-8")
    assert known.refresh()
    assert known.covers(finding(), place)


def test_no_source_text_and_no_name_of_a_file_is_kept(store: Path, project: Path) -> None:
    for scope in ("finding", "rule-here", "rule"):
        dismissed(store, uri(project / "secret.py"), scope)
    content = store.read_text(encoding="utf-8")
    assert "secret" not in content
    assert "project" not in content.replace("projects", "")
    if sys.platform != "win32":
        assert stat.S_IMODE(store.parent.stat().st_mode) == 0o700


def test_several_editors_at_once(store: Path, project: Path) -> None:
    place = uri(project / "a.py")
    names = [f"{number:024}" for number in range(24)]

    def dismiss(some: list[str]) -> None:
        known = Dismissals(store)
        for name in some:
            known.dismiss(name, "eval", place, "finding")

    threads = [threading.Thread(target=dismiss, args=(names[at::4],)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(covers(store, place, finding(name)) for name in names)
    # One that has been open all the while takes it up.
    known = Dismissals(store)
    assert known.refresh()
    assert not known.refresh()
    dismissed(store, place)
    assert not known.covers(finding(), place)
    assert known.refresh()
    assert known.covers(finding(), place)
    store.unlink()
    assert known.refresh()
    assert not known.covers(finding(), place)


def test_there_is_a_bound(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 3)
    monkeypatch.setattr(module, "_MOST_PROJECTS", 2)
    known = Dismissals(store)
    place = uri(tmp_path / "p0" / "a.py")
    for number in range(5):
        known.dismiss(f"{number:024}", "eval", place, "finding")
    assert [known.covers(finding(f"{number:024}"), place) for number in range(5)] == [
        *(False, False),
        *(True, True, True),
    ]
    for number in range(1, 3):
        known.dismiss("f" * 24, "eval", uri(tmp_path / f"p{number}" / "a.py"), "finding")
    assert not known.covers(finding(f"{4:024}"), place)
    assert known.covers(finding(), uri(tmp_path / "p2" / "a.py"))


def test_a_renamed_folder_takes_along_what_is_dismissed_in_its_files(
    store: Path, project: Path
) -> None:
    old, new = project / "src", project / "lib"
    (old / "deep").mkdir()
    (old / "deep" / "a é.py").touch()
    (old / "b.py").touch()
    for name in ("deep/a é.py", "b.py"):
        dismissed(store, uri(old / name), "rule-here")
    dismissed(store, uri(project / "src2" / "b.py"), "rule-here")
    old.rename(new)
    # Some clients end the name of a folder with a slash.
    assert Dismissals(store).renamed(uri(old) + "/", uri(new))
    for name in ("deep/a é.py", "b.py"):
        assert covers(store, uri(new / name), finding("e" * 24))
        assert not covers(store, uri(old / name), finding("e" * 24))
    assert covers(store, uri(project / "src2" / "b.py"), finding("e" * 24))
    assert not Dismissals(store).renamed(uri(old), uri(new))


def test_a_renamed_repository_keeps_what_is_dismissed_in_it(store: Path, project: Path) -> None:
    (project / "src" / "a.py").touch()
    dismissed(store, uri(project / "src" / "a.py"))
    dismissed(store, uri(project / "src" / "a.py"), "rule-here", "eval")
    new = project.with_name("renamed")
    project.rename(new)
    assert Dismissals(store).renamed(uri(project), uri(new))
    assert covers(store, uri(new / "src" / "a.py"))
    assert covers(store, uri(new / "src" / "a.py"), finding("e" * 24, "eval"))
    assert not covers(store, uri(project / "src" / "a.py"))


def test_a_link_in_a_renamed_folder_is_not_followed(store: Path, project: Path) -> None:
    (project / "src" / "round").symlink_to(project, target_is_directory=True)
    (project / "src" / "a.py").touch()
    dismissed(store, uri(project / "src" / "a.py"), "rule-here")
    (project / "src").rename(project / "lib")
    assert Dismissals(store).renamed(uri(project / "src"), uri(project / "lib"))
    assert covers(store, uri(project / "lib" / "a.py"), finding("e" * 24))
