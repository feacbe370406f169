"""The instant answer: what is copied from the open documents, and what never is."""

from dataclasses import replace
from pathlib import Path

import pytest

from sirdab.completion.copy import MAX_DOCUMENTS, Copied, CopyPredictor
from sirdab.completion.copying import corpus
from sirdab.completion.copying.corpus import Corpus
from sirdab.completion.copying.predict import predict
from sirdab.completion.gates import Rules
from sirdab.completion.request import CompletionRequest, Selected
from sirdab.config.schema import CompletionSettings, PrivacySettings, Settings
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text
from tests.support.completion import place, request_for

# Put together from halves, so that no scanner of repositories takes it for a leak.
TOKEN = "ghp_" + "q7Zr2Xw9Lk4Tb8Yc1Vn6" + "Mh3Pd5Sf0GjAe9Ru"
KEY = [
    "-----BEGIN RSA PRIVATE " + "KEY-----",
    *(f"{n}MIIEpAIBAAKCAQEAq7Zr2Xw9Lk4Tb8Yc1Vn6Mh3Pd5Sf0GjAe9Ru2Kx7Zq3v" for n in range(1, 6)),
    "-----END RSA PRIVATE " + "KEY-----",
]


def beside(*contents: str, language: str = "python") -> tuple[Snapshot, ...]:
    return tuple(
        Snapshot(f"untitled:{n}", language, 1, Text(content)) for n, content in enumerate(contents)
    )


def predicts(
    request: CompletionRequest, predictor: CopyPredictor | None = None, *, standing_in: bool = True
) -> Copied | None:
    """Ask when everything that may be read is indexed."""
    predictor = predictor or CopyPredictor(Rules())
    for _ in range(MAX_DOCUMENTS):
        predictor.look(request)
        if not predictor.pending:
            break
    predictor.settle()
    return predictor.predict(request, standing_in=standing_in, unsure=True)


def said(marked: str, *others: str, language: str = "python") -> str | None:
    request = replace(
        request_for(marked, language=language), open_documents=beside(*others, language=language)
    )
    found = predicts(request)
    return found.text if found else None


@pytest.mark.parametrize(
    ("marked", "expect"),
    [
        # The rest of a line that stands above or below.
        (
            "total = sum(item.price for item in cart)\nother = sum(item.pr$0",
            "ice for item in cart)",
        ),
        ("a = load($0\n\nb = load(path, encoding='utf-8')\n", "path, encoding='utf-8')"),
        # In the middle of a word, behind a word and a blank, behind an operator.
        ("if settings.enabled:\n    pass\nif settings.en$0", "abled:"),
        ("def f(a):\n    return a.value\n\ndef g(a):\n    return $0", "a.value"),
        ("x = y.width + 10\nx = y.width +$0", " 10"),
        # A word that is complete is not the beginning of a longer one.
        ("returned(a, b)\nx = 1\nreturn $0", None),
        ("unreturn(a)\nx = 1\nreturn(b$0", None),
        # Spacing says nothing.
        ("value = call( first,second )\nvalue  =  call(fi$0", "rst,second )"),
        # What stands right of the cursor is not written again.
        ("draw(canvas, colour)\nx = 1\ndraw(can$0)\n", "vas, colour"),
        ('open("data.json", "r")\nx = 1\nopen("da$0")\n', "ta.json"),
        # Brackets that are not open here are not closed here.
        ("print(join(first, second))\nx = join(fi$0", "rst, second)"),
        ("print(\n    join(first, second))\nprint(\n    join(fi$0", "rst, second))"),
        # Nothing is typed yet: the line above counts, and how far in the next one stands.
        ("for a in b:\n    use(a)\n    log(a)\n\nfor a in b:\n    use(a)\n    $0", "log(a)"),
        ("for a in b:\n    use(a)\n    log(a)\n\nfor a in b:\n    use(a)\n$0", "    log(a)"),
        ("def f():\n    if a:\n        use(a)\n    end(a)\n\nuse(a)\n    $0", None),
        # Blank lines are passed over.
        ("alpha()\n\n\nbeta(1)\n\nalpha()\n$0", "beta(1)"),
        # Letters of all scripts, and characters outside the BMP.
        ("größe = miß(länge, breite)\nx = 1\ngröße = miß(lä$0", "nge, breite)"),
        ("名前 = 読む('😀', 既定)\nx = 1\n名前 = 読む('😀', $0", "既定)"),
        # Nothing like it stands anywhere.
        ("alpha = 1\nbeta = 2\ngamma.$0", None),
        ("$0", None),
        ("\n\n   $0", None),
    ],
)
def test_what_follows_elsewhere(marked: str, expect: str | None) -> None:
    assert said(marked) == expect


@pytest.mark.parametrize(
    ("language", "marked", "expect"),
    [
        (
            "javascript",
            "if (a) {\n  run(a);\n} else {\n  stop(a);\n}\n\nfunction f() {\n  run(a);\n$0",
            None,
        ),
        (
            "javascript",
            "if (a) {\n  run(a);\n} else {\n  stop(a);\n}\n\nif (b) {\n  run(a);\n$0",
            "} else {",
        ),
        (
            "python",
            "try:\n    run(a)\nexcept ValueError:\n    stop(a)\n\nif a:\n    run(a)\n$0",
            None,
        ),
        (
            "python",
            "try:\n    run(a)\nexcept ValueError:\n    stop(a)\n\ntry:\n    run(a)\n$0",
            "except ValueError:",
        ),
    ],
)
def test_what_does_not_fit_the_syntax_here_is_not_copied(
    language: str, marked: str, expect: str | None
) -> None:
    assert said(marked, language=language) == expect


@pytest.mark.parametrize(
    ("language", "marked", "expect"),
    [
        ("typescript", "const a = fetch(url, {});\nconst b = fe$0", "tch(url, {});"),
        ("lua", "local x = vim.api.nvim_get_mode()\nlocal y = vim.api.nv$0", "im_get_mode()"),
        ("go", "if err != nil {\n\treturn nil, err\n}\nif err != nil {\n\tre$0", "turn nil, err"),
        ("c", "for (int i = 0; i < n; i++) {\n}\nfor (int i = 0; $0) {\n", "i < n; i++"),
        ("rust", 'let a = map.get("key").unwrap();\nlet b = map.get("key").$0', "unwrap();"),
        ("plaintext", "Dear Sir or Madam,\n\nDear Sir $0", "or Madam,"),
    ],
)  # fmt: skip
def test_any_language(language: str, marked: str, expect: str) -> None:
    assert said(marked, language=language) == expect


def test_a_block_goes_on_where_all_that_is_known_goes_on() -> None:
    once = "if self.closed:\n    raise StoreError('closed')\n\n"
    marked = f"{once}x = 1\n\n{once}y = 2\n\n{once}z = 3\n\nif self.closed:\n    $0"
    assert said(marked) == "raise StoreError('closed')"


def test_further_lines_are_indented_for_their_new_place() -> None:
    body = "with lock:\n    count += 1\n    total += count\n    notify(total)\n"
    deeper = "\n".join("    " + line if line else "" for line in body.split("\n"))
    marked = f"{body}\n{body}\n{body}\nclass A:\n{deeper[: deeper.index('count')]}$0"
    text, point = place(marked)
    documents = Corpus()
    documents.show([Snapshot("untitled:1", "python", 1, text)])
    documents.work(None)
    found = predict(text, point, list(documents))
    assert found is not None
    assert found.rest == "count += 1"
    assert found.further == (("        total += count", 3), ("        notify(total)", 3))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_say_nothing(end: str) -> None:
    here = "first(a)\nsecond(a, b)\n\nfirst(a)\n$0".replace("\n", end)
    assert said(here) == "second(a, b)"
    there = "first(a)\nsecond(a, b)\nthird(c)\n".replace("\n", end)
    assert said("x = 1\nfirst(a)\nsecond(a, b)\n$0", there) == "third(c)"


def test_other_documents_are_copied_from() -> None:
    assert said("x = 1\nconnect(ho$0", "def f():\n    connect(host, port)\n") == "st, port)"


def test_the_nearer_place_counts_where_the_text_decides_nothing() -> None:
    far = "use(alpha)\n" + "".join(f"x{n} = {n}\n" for n in range(40))
    assert said(f"{far}use(beta)\nuse($0") == "beta)"


def test_the_longer_agreement_wins() -> None:
    text = "if done:\n    stop(now)\nif later:\n    stop(then)\nx = 1\nif done:\n    stop($0"
    assert said(text) == "now)"


def test_what_goes_on_differently_everywhere_is_not_sure() -> None:
    many = "".join(f"value = read(source{n})\n" for n in "abcdefgh")
    found = predicts(request_for(f"{many}x = 1\nvalue = read($0"))
    assert found is None or not found.is_sure


def test_what_goes_on_in_the_same_way_everywhere_is_sure() -> None:
    once = "if not self.is_open:\n    raise StoreClosedError(self.name)\n"
    marked = (
        "\n".join(f"def f{n}():\n{once}" for n in range(4)) + "\nif not self.is_open:\n    ra$0"
    )
    found = predicts(request_for(marked))
    assert found is not None
    assert found.text == "ise StoreClosedError(self.name)"
    assert found.is_sure


def test_the_item_of_the_editors_list_is_extended() -> None:
    marked = "self.append(value, index)\nx = 1\nself.app$0"
    point = place(marked)[1]
    item = Selected(Point(point.line, 5), point, "append(")
    found = predicts(request_for(marked, selected=item))
    assert found is not None
    assert found.text == "value, index)"


def test_one_line_where_the_user_wants_no_more() -> None:
    once = "with lock:\n    count += 1\n    total += count\n\n"
    settings = replace(Settings(), completion=CompletionSettings(multiline="never"))
    found = predicts(request_for(f"{once * 4}with lock:\n    $0", settings=settings))
    assert found is not None
    assert found.text == "count += 1"


# --- what is never copied ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        f'github = connect("{TOKEN}", retries=3)\n',
        f'log.info("begin")\ngithub = connect("{TOKEN}", retries=3)\n',
    ],
)
@pytest.mark.parametrize("redact", [True, False])
def test_a_secret_is_never_copied(source: str, redact: bool) -> None:
    settings = replace(Settings(), privacy=PrivacySettings(redact_secrets=redact))
    marked = 'log.info("begin")\ngithub = connect($0'
    request = request_for(marked, settings=settings)
    assert predicts(replace(request, open_documents=beside(source))) is None
    assert predicts(request_for(source + marked, settings=settings)) is None


@pytest.mark.parametrize("line", range(1, 6))
def test_no_line_of_a_private_key_is_copied(line: int) -> None:
    key = "\n".join(KEY)
    above = KEY[line - 1]
    # The line above stands outside of the key as well, in the document that is written.
    request = replace(request_for(f"x = 1\n{above}\n$0"), open_documents=beside(f"{key}\n"))
    found = predicts(request)
    assert found is None or KEY[line] not in found.text


def test_what_makes_a_secret_of_what_is_typed_is_not_offered() -> None:
    value = "q7Zr2Xw9" + "Lk4Tb8Yc1Vn6"
    assert said('password = "$0', f'colour = "{value}"\n') is None


def test_an_excluded_document_is_never_copied_from(tmp_path: Path) -> None:
    content = Text("connect(host, port)\n")
    request = request_for("x = 1\nconnect(ho$0")

    def at(name: str) -> CompletionRequest:
        other = Snapshot((tmp_path / name).as_uri(), "python", 1, content)
        return replace(request, open_documents=(other,), workspace_folders=(str(tmp_path),))

    assert predicts(at("a.py")) is not None
    assert predicts(at(".env.py")) is None
    assert predicts(at("secrets/a.py")) is None
    settings = replace(Settings(), privacy=PrivacySettings(exclude=("private/**",)))
    assert predicts(replace(at("private/a.py"), settings=settings)) is None
    (tmp_path / ".gitignore").write_text("b.py\n")
    assert predicts(at("b.py")) is None


def test_a_document_that_comes_to_be_excluded_is_dropped_at_once(tmp_path: Path) -> None:
    other = Snapshot((tmp_path / "a.py").as_uri(), "python", 1, Text("connect(host, port)\n"))
    request = replace(
        request_for("x = 1\nconnect(ho$0"),
        open_documents=(other,),
        workspace_folders=(str(tmp_path),),
    )
    predictor = CopyPredictor(Rules())
    assert predicts(request, predictor) is not None
    (tmp_path / ".aiexclude").write_text("")
    assert predicts(request, predictor) is None


@pytest.mark.parametrize("content", ["connect(host, port)\0\n", "connect(host, port)\n"])
def test_a_document_that_cannot_be_trusted_is_not_copied_from(content: str) -> None:
    suspect = None if "\0" in content else "The editor sent version 1 after version 2."
    other = Snapshot("untitled:1", "python", 1, Text(content), suspect)
    request = replace(request_for("x = 1\nconnect(ho$0"), open_documents=(other,))
    assert predicts(request) is None


def test_another_language_is_not_copied_from() -> None:
    request = request_for("x = 1\nconnect(ho$0")
    other = beside("connect(host, port)\n", language="lua")
    assert predicts(replace(request, open_documents=other)) is None
    typescript = request_for("let x = 1\nconnect(ho$0", language="typescript")
    react = beside("connect(host, port);\n", language="javascriptreact")
    assert predicts(replace(typescript, open_documents=react)) is not None


# --- what is remembered -----------------------------------------------------------------------


def test_a_closed_document_is_copied_from_until_everything_is_dropped() -> None:
    predictor = CopyPredictor(Rules())
    request = request_for("x = 1\nconnect(ho$0")
    (other,) = beside("connect(host, port)\n")
    assert predicts(replace(request, open_documents=(other,)), predictor)
    predictor.forget(other.uri)
    assert predicts(request, predictor) is not None
    predictor.clear()
    assert predicts(request, predictor) is None
    assert predictor.bytes < 10_000


def test_only_the_documents_closed_last_are_kept() -> None:
    predictor = CopyPredictor(Rules())
    request = request_for("x = 1\nconnect(ho$0")
    others = beside("connect(host, port)\n", *["y = 2\n"] * corpus.MAX_CLOSED)
    assert predicts(replace(request, open_documents=others), predictor)
    for other in others:
        predictor.forget(other.uri)
    assert predicts(request, predictor) is None


def test_what_is_known_of_an_open_document_is_its_present_state() -> None:
    predictor = CopyPredictor(Rules())
    request = request_for("x = 1\nconnect(ho$0")
    (other,) = beside("connect(host, port)\n")
    assert predicts(replace(request, open_documents=(other,)), predictor)
    text = other.text.replace(Point(0, 14), Point(0, 18), "name")
    changed = replace(other, text=text, version=2)
    found = predicts(replace(request, open_documents=(changed,)), predictor)
    assert found is not None
    assert found.text == "st, name)"


def test_memory_is_bounded() -> None:
    bound = 200_000
    predictor = CopyPredictor(Rules(), max_bytes=bound)
    line = "value_{n} = call_{n}(first, second) + other.attribute_{n}\n"
    contents = ["".join(line.format(n=n + 1000 * d) for n in range(2000)) for d in range(20)]
    request = replace(request_for("x = 1\nvalue_1 = ca$0"), open_documents=beside(*contents))
    predicts(request, predictor)
    one_block = 60_000
    assert 0 < predictor.bytes < bound + one_block


def test_a_document_of_one_huge_line_costs_nothing() -> None:
    predictor = CopyPredictor(Rules())
    request = replace(
        request_for("x = 1\nconnect(ho$0"), open_documents=beside("connect(host, port);" * 100_000)
    )
    assert predicts(request, predictor) is None
    assert predictor.bytes < 20_000


@pytest.mark.parametrize("line", ["(" * 990, "a(" * 490, "aa" * 490, "1, " * 330])
def test_a_table_of_the_same_again_and_again_is_not_searched_to_its_end(line: str) -> None:
    rows = f"{line}\n" * 3000
    predictor = CopyPredictor(Rules())
    found = predicts(request_for(f"{rows}\nb = 1\n{line[:20]}$0"), predictor)
    assert found is None or found.text


def test_only_so_many_documents_are_copied_from() -> None:
    request = request_for("x = 1\nconnect(ho$0")
    others = beside(*["y = 2\n"] * MAX_DOCUMENTS, "connect(host, port)\n")
    assert predicts(replace(request, open_documents=others)) is None


def test_where_it_comes_from_is_told_without_its_text() -> None:
    other = Snapshot("file:///w/My%20App/a%20b.py", "python", 1, Text("\nconnect(host, port)\n"))
    request = replace(request_for("x = 1\nconnect(ho$0"), open_documents=(other,))
    found = predicts(request)
    assert found is not None
    assert found.as_trace()["from"] == "a b.py:2"
    assert "port" not in str(found.as_trace())
    assert found.as_trace(with_text=True)["text"] == found.text
