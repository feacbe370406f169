"""The user's own families: read from one place, tried first, and never a reason to stop."""

import re
from pathlib import Path

import pytest

from sirdab.completion.prompt import build
from sirdab.models.catalog import families, family_of, known_family_of
from sirdab.models.user_families import models_path, user_families

DOCS = Path(__file__).parents[3] / "docs" / "models.md"
EXAMPLES = re.findall(r"```toml\n# models\.toml\n(.+?)```", DOCS.read_text("utf-8"), re.DOTALL)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's file, which is not there yet."""
    monkeypatch.setenv("SIRDAB_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path / "models.toml"


def test_it_stands_beside_the_configuration(file: Path) -> None:
    assert models_path() == file


def test_no_file_is_no_problem(file: Path) -> None:
    found = user_families()
    assert (found.path, found.families, found.problem) == (file, (), "")


def test_an_empty_file_is_no_problem(file: Path) -> None:
    file.write_text("# later\n", encoding="utf-8")
    assert (user_families().families, user_families().problem) == ((), "")


def test_the_examples_of_the_documentation(file: Path) -> None:
    assert len(EXAMPLES) == 3
    file.write_text("\n".join(EXAMPLES), encoding="utf-8")
    found = user_families()
    assert found.problem == ""
    tuned, own, chat = found.families
    assert family_of("Team-Coder-7B.gguf") == tuned
    assert tuned.fim == known_family_of("qwen2.5-coder").fim
    assert tuned.layouts == known_family_of("qwen2.5-coder").layouts
    assert family_of("/models/our_model-Q4_K_M.gguf") == own
    assert family_of("our-model-chat").id == "default"
    assert build(own, "a\n", "z").text == "<before>a\n<after>z<here>"
    assert set(own.sentinels) == {"<before>", "<after>", "<here>", "<end>", "<file>"}
    assert own.stop == ("<end>",)
    assert family_of("our-chat:latest") == chat
    assert chat.chat is not None
    assert chat.chat.prompt("Do", "it") == "<system>Do</system><user>it</user><answer>"
    # Others are as before.
    assert family_of("qwen2.5-coder:7b") == known_family_of("qwen2.5-coder:7b")


def test_it_is_tried_before_ours(file: Path) -> None:
    file.write_text(
        '[[families]]\nid = "mine"\npatterns = ["starcoder2"]\nlike = "codellama"\n', "utf-8"
    )
    assert family_of("starcoder2:3b").id == "mine"
    assert known_family_of("starcoder2:3b").id == "starcoder2"
    assert [family.id for family in families()].count("mine") == 0


def test_a_change_is_seen(file: Path) -> None:
    file.write_text('[[families]]\nid = "one"\npatterns = ["odd"]\n', "utf-8")
    assert family_of("odd").id == "one"
    file.write_text('[[families]]\nid = "second"\npatterns = ["odd"]\n', "utf-8")
    assert family_of("odd").id == "second"
    file.unlink()
    assert family_of("odd").id == "default"


@pytest.mark.parametrize(
    ("text", "place", "complaint"),
    [
        ("[[families]\n", "line 1", "not valid TOML"),
        ("families = 3", "families", "must be a list of tables"),
        ("family = []", "family", "has no meaning here"),
        ("[[families]]\npatterns = ['x']", "families[1]", "id is missing"),
        ("[[families]]\nid = 'a'", 'families[1] ("a")', "patterns is missing"),
        ("[[families]]\nid = 'a'\npatterns = []", '("a")', "at least one"),
        ("[[families]]\nid = 'a'\npatterns = 'x'", "patterns", "must be a list of texts"),
        ("[[families]]\nid = 'a'\npatterns = ['(']", "'('", "no regular expression"),
        ("[[families]]\nid = 'a'\npatterns = [1]", "patterns", "no regular expression"),
        ("[[families]]\nid = 'a'\npatterns = ['a{99999999999}']", "patterns",
         "no regular expression"),
        (f"[[families]]\nid = 'a'\npatterns = ['{'(' * 20_000}']", "'((((", "no regular"),
        (f"families = {'1' * 5_000}", "TOML", "not valid TOML"),
        (f"families = {'[' * 50_000}", "TOML", "not valid TOML"),
        ("[[families]]\nid = 'a'\npatern = ['x']", "patern", "did you mean patterns?"),
        ("[[families]]\nid = 'a'\npatterns = ['x']\nlike = 'qwen25-coder'", "like",
         "did you mean qwen2.5-coder?"),
        ("[[families]]\nid = 'a'\npatterns = ['x']\nlike = 'zzz'", "like", "known: "),
        ("[[families]]\nid = 'a'\npatterns = ['x']\nlayouts = ['psmm']", "layouts",
         "did you mean psm?"),
        ("[[families]]\nid = 'a'\npatterns = ['x']\nlayouts = ['psm']", "layouts", "no fim table"),
        ("[[families]]\nid = 'a'\npatterns = ['x']\nlayouts = []", "layouts", "at least one"),
        ("[[families]]\nid = 'a'\npatterns = ['x']\nlike = 'codegemma'\nlayouts = ['spm']",
         "layouts", "does not say how it is written"),
        ("[[families]]\nid = 'a'\npatterns = ['x']\nfim = { prefix = 'p' }", "fim",
         "suffix is missing"),
        (("[[families]]\nid = 'a'\npatterns = ['x']\nfim = { prefix = ' ', suffix = 's', "
         "middle = 'm' }"), "fim", "must not be blank"),
        (("[[families]]\nid = 'a'\npatterns = ['x']\nfim = { prefix = 'p', suffix = 's', "
         "middle = 'm', spm = '{prefix}{suffix}' }"), "fim: spm", "{suffix} and, behind it"),
        ("[[families]]\nid = 'a'\npatterns = ['x']\nfim = 3", "fim", "must be a table"),
        ("[[families]]\nid = 'a'\npatterns = ['x']\ncontrol = [' <a>']", "control", "blanks"),
        ("[[families]]\nid = 'a'\npatterns = ['x']\nstop = ['']", "stop", "not empty"),
        ("[[families]]\nid = 'a'\npatterns = ['x']\ncontext_tokens = -1", "context_tokens",
         "whole number"),
        ("[[families]]\nid = 'a'\npatterns = ['x']\ncontext_tokens = true", "context_tokens",
         "whole number"),
        ("[[families]]\nid = 'a'\npatterns = ['x']\ncontext_style = 'repository'",
         "context_style", "no repository table"),
        ("[[families]]\nid = 'a'\npatterns = ['x']\ncontext_style = 'x'", "context_style",
         "must be one of"),
        (("[[families]]\nid = 'a'\npatterns = ['x']\n[families.chat]\nuser = 'u'\nanswer = ''\n"
         "end = 'e'"), "chat: user", "{text} once"),
        ("[[families]]\nid = 'a'\npatterns = ['x']\n[[families]]\nid = 'a'\npatterns = ['y']",
         'families[2] ("a")', "that of an entry above"),
        (("[[families]]\nid = 'a'\npatterns = ['x']\n[[families]]\nid = 'b'\npatterns = ['y']\n"
         "licence = 3"), 'families[2] ("b")', "must be a text"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_with_its_place(
    file: Path, text: str, place: str, complaint: str
) -> None:
    file.write_text(text, encoding="utf-8")
    found = user_families()
    assert found.families == ()
    assert str(file) in found.problem
    assert place in found.problem
    assert complaint in found.problem
    assert "\n" not in found.problem
    assert len(found.problem) < 1_000
    assert found.problem.endswith("Sirdab uses its own list of models until that is mended.")
    assert family_of("qwen2.5-coder:7b").id == "qwen2.5-coder"


@pytest.mark.parametrize("data", [b"\xff\xfe", b"# " + b"x" * (1 << 20)], ids=["utf-16", "long"])
def test_bytes_that_are_no_list_of_models(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    assert user_families().families == ()
    assert "Sirdab uses its own list" in user_families().problem


def test_a_folder_in_its_place_is_a_sentence(file: Path) -> None:
    file.mkdir()
    assert "cannot be read" in user_families().problem


@pytest.mark.parametrize("folder", [".", ".sirdab", ".config/sirdab"])
def test_a_workspace_cannot_set_it(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    workspace = tmp_path / "workspace" / folder
    workspace.mkdir(parents=True)
    (workspace / "models.toml").write_text(
        '[[families]]\nid = "evil"\npatterns = [""]\n', encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path / "workspace")
    assert user_families().families == ()
    assert family_of("qwen2.5-coder:7b").id == "qwen2.5-coder"
