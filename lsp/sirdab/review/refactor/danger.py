"""Refuses code that reaches out where the code before it did not.

The code that a model reads may give it orders, and a small model obeys some of them. So a
rewriting may neither start a program, nor run text as code, nor speak to a network, nor write or
delete files, nor name an address, nor silence a check, nor bring in a library, unless the code did
so before or the user's own words ask for it. This is one layer among several: the edit is shown,
and stays within its document, whatever it says.
"""

import re
import unicodedata
from collections import Counter

from sirdab.policy.sanitize import clean_output
from sirdab.policy.secrets import PLACEHOLDER, find_secrets
from sirdab.review.inert import has_control
from sirdab.review.refactor.refusal import RefusalError

# Calls by what they do. The names are those of the languages' standard libraries, and of the
# libraries that are used most in their place.
_CALLS: dict[str, re.Pattern[str]] = {
    "start a program": re.compile(
        r"\b(?:os\.(?:system|popen|exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?|startfile|execute)"
        r"|subprocess\.\w+|popen[23]?|pty\.spawn|create_subprocess_(?:exec|shell)"
        r"|(?:child_process\.)?(?:execSync|execFile|execFileSync|spawn|spawnSync|fork)"
        r"|child_process\.exec|exec\.Command(?:Context)?|syscall\.Exec|Command::new"
        r"|getRuntime\(\)\.exec|ProcessBuilder|Process\.Start|shell_exec|passthru|proc_open"
        r"|io\.popen|ShellExecute\w*|CreateProcess\w*|exec[lv]p?e?)\s*\("
        r"|(?<![\w.>])(?:system|exec)\s*\(",
    ),
    "run text as code": re.compile(
        r"(?<![\w.])(?:eval|exec|compile|__import__|execfile|loadstring)\s*\("
        r"|\bnew\s+Function\s*\(|\bimport_module\s*\(|\bvm\.run\w*\s*\("
        r"|\b(?:builtins|__builtins__)\b|\b(?:c?[Pp]ickle|marshal|dill)\.loads?\s*\(|\bctypes\b"
        r"|\bsetTimeout\s*\(\s*[\"'`]|\binstance_eval\b|\bclass_eval\b",
    ),
    "use the network": re.compile(
        r"\b(?:requests|httpx|aiohttp|urllib[23]?|http\.client|ftplib|smtplib|telnetlib|paramiko"
        r"|websockets|axios|superagent|reqwest|ureq)\b\s*[.(:]"
        r"|\b(?:urlopen|urlretrieve|XMLHttpRequest|WebSocket|EventSource|sendBeacon)\b"
        r"|(?<![\w.])fetch\s*\(|\bsocket\.\w+\s*\(|\bcreate_connection\s*\(|\bopen_connection\s*\("
        r"|\bhttps?\.(?:get|request|Get|Post|PostForm|Head|NewRequest\w*)\s*\("
        r"|\bnet\.(?:Dial\w*|connect|createConnection|Socket)\b|\bTcpStream\b|\bUdpSocket\b"
        r"|\bHttpClient\b|\bopenConnection\s*\(|\bcurl_(?:init|exec|easy_\w+)\b|\bNet::HTTP\b"
        r"|(?:^|[|;&(`])\s*(?:curl|wget|nc|ncat|telnet|ssh|scp)\s+\S",
    ),
    "delete files": re.compile(
        r"\b(?:shutil\.rmtree|os\.(?:remove|unlink|removedirs|rmdir|RemoveAll|Remove)"
        r"|fs\.(?:rm|rmSync|unlink|unlinkSync|rmdir|rmdirSync)|remove_dir_all|remove_file)\s*\("
        r"|(?:^|[|;&(`])\s*rm\s+-\w*[rf]",
    ),
    "write files": re.compile(
        r"\bf?open\s*\((?=[^()\n]{0,200},\s{0,8}(?:mode\s{0,4}=\s{0,4})?[\"'][^\"'\n]{0,3}[wax+])"
        r"|\.write_(?:text|bytes)\s*\(|\bfs\.(?:promises\.)?(?:write|append)File\w*"
        r"|\bcreateWriteStream\b|\bos\.(?:WriteFile|Create|OpenFile)\b|\bfile_put_contents\b"
        r"|\bFile\.(?:Write|Append)All\w+|\bFiles\.write\w*|\bFile(?:Writer|OutputStream)\b"
        r"|\bfs::write\b|\bFile::create\b",
    ),
    "read the whole environment": re.compile(
        r"\bos\.environ\b(?!\s*[.\[])|\bprocess\.env\b(?!\s*[.\[?])|\bos\.Environ\(\)"
        r"|\bSystem\.getenv\(\s*\)|\benv::vars\(",
    ),
}
# What tells linters, type checkers and reviews to be silent, by their documentation.
_SILENCE = re.compile(
    r"\bnoqa\b|\bnosec\b|\bnosemgrep\b|\bnolint\b|\bNOSONAR\b|\bNOLINT\w*"
    r"|\b(?:type|pyright|mypy|sirdab|biome|phpcs|deno-lint)\s*:?-?\s*ignore\b|\bpylint\s*:\s*disable"
    r"|\b(?:eslint|tslint|stylelint|jshint|rubocop|swiftlint)\s*[-:]\s*disable"
    r"|@ts-(?:ignore|nocheck|expect-error)|@SuppressWarnings|@Suppress\b|#!?\[allow\("
    r"|\bshellcheck\s+disable|\bphpstan-ignore|\bpragma:\s*(?:no cover|allowlist)|\bgitleaks:allow",
    re.IGNORECASE,
)
# Bringing in what such calls are made with; harmless where the code makes such calls already.
_IMPORTS: dict[str, re.Pattern[str]] = {
    "start a program": re.compile(
        r"\bfrom\s+os\s+import\b.*\b(?:system|popen|exec\w+)\b"
        r"|\b(?:import|from)\s+(?:subprocess|pty)\b|[\"'`](?:node:)?child_process[\"'`]"
        r"|[\"']os/exec[\"']|\bstd::process\b"
    ),
    "use the network": re.compile(
        r"\b(?:import|from)\s+(?:socket|requests|httpx|aiohttp|urllib|ftplib|smtplib)\b"
        # "https" alone is a scheme as often as a module.
        r"|(?:\b(?:require|import)\s*\(\s*|\b(?:from|import)\s*)[\"'`](?:https?|tls)[\"'`]"
        r"|[\"'`](?:node:https?|(?:node:)?(?:http2|net|tls|dgram)|net/http)[\"'`]|\bstd::net\b"
    ),
}
_ADDRESS = re.compile(
    r"\b(?:https?|wss?|ftp|file|data|javascript|ssh)://[^\s\"'`<>)]{1,200}"
    r"|\b(?:\d{1,3}\.){3}\d{1,3}\b|\b[\w-]{1,60}\.(?:com|net|org|io|example|dev|sh|ru|cn)/\S{1,200}",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
# Longer lines are data; patterns are not run over them.
_LONGEST_LINE = 2_000


def check(before: list[str], after: list[str], wanted: str = "") -> None:
    """Hold that rewritten code does nothing grave that the code before it did not do.

    Args:
        before: The lines as they were.
        after: The lines as they would be.
        wanted: The user's own words, which may ask for such a thing; "" where there are none. What
            is said about code by others is none of them.

    Raises:
        RefusalError: It does; the message says what.
    """
    named = frozenset(_WORD.findall(wanted.lower()))
    # Lines that stay say the same on both sides.
    old, new = Counter(before), Counter(after)
    gone, fresh = list((old - new).elements()), list((new - old).elements())
    for deed, pattern in _CALLS.items():
        allowed = len(_found(pattern, gone))
        found = _found(pattern, fresh)
        if not allowed and deed in _IMPORTS:
            found += _found(_IMPORTS[deed], fresh)
        if len(found) > allowed and not all(_is_named(call, named) for call in found):
            raise RefusalError(
                f"The new code would {deed}, which the old code did not, so nothing is done.",
                hint=f"Do not {deed}.",
            )


def check_addresses(before: list[str], fresh: list[str], wanted: str = "") -> None:
    """Hold that new lines name no address that the code did not name before.

    Args:
        before: The lines as they were.
        fresh: The lines that are new, comments included.
        wanted: The user's own words; an address in them may come in.

    Raises:
        RefusalError: They name one.
    """
    found = _found(_ADDRESS, fresh)
    if not found:
        return
    known = frozenset(_found(_ADDRESS, before)) | frozenset(_ADDRESS.findall(wanted))
    if any(address not in known for address in found):
        raise RefusalError(
            "The new code would name an address that the old code did not, so nothing is done.",
            hint="Do not add addresses.",
        )


def check_marks(before: list[str], fresh: list[str], wanted: str = "") -> None:
    """Hold that new lines silence no check: a mark that hides a defect is no cure of it.

    Args:
        before: The lines as they were.
        fresh: The lines that are new, comments included.
        wanted: The user's own words; a mark in them may come in.

    Raises:
        RefusalError: They silence one.
    """
    marks, known = (Counter(_found(_SILENCE, lines)) for lines in (fresh, before))
    if marks - known and not _SILENCE.search(wanted):
        raise RefusalError(
            "The new code would silence a check instead of passing it, so nothing is done.",
            hint="Do not add comments that switch checks off.",
        )


def check_secrets(before: str, after: str) -> None:
    """Hold that no secret, and no placeholder of one, comes into the code.

    Raises:
        RefusalError: One does.
    """
    if after.count(PLACEHOLDER) > before.count(PLACEHOLDER):
        raise RefusalError(
            "The model would write a placeholder where a secret belongs, so nothing is done.",
            hint=f"Do not write {PLACEHOLDER}.",
        )
    known = {before[span.start : span.stop] for span in find_secrets(before)}
    if any(after[span.start : span.stop] not in known for span in find_secrets(after)):
        raise RefusalError(
            "The model would write something like a password or a key into the code, so nothing "
            "is done.",
            hint="Do not write passwords, tokens or keys into the code.",
        )


def check_visible(lines: list[str]) -> None:
    """Hold that new lines consist of characters that a person sees, and that code is made of.

    Lines that were there before are none of them, so code about language models can be rewritten.

    Raises:
        RefusalError: One holds a control, a reordering or another invisible character, or a token
            by which models tell turns from each other: what follows it is another turn.
    """
    if any(has_control(line) for line in lines):
        raise RefusalError(
            "The model wrote on behind the end of its answer, so nothing is done.",
            hint="Write the code, and nothing behind it.",
        )
    if any(clean_output(line) != line for line in lines):
        raise RefusalError(
            "The model wrote characters that cannot be seen, so nothing is done.",
            hint="Write plain text, without invisible characters.",
        )


def _is_named(call: str, named: frozenset[str]) -> bool:
    return any(word.lower() in named for word in _WORD.findall(call))


def _found(pattern: re.Pattern[str], lines: list[str]) -> list[str]:
    return [
        found[0] for line in lines if len(line) <= _LONGEST_LINE for found in pattern.finditer(line)
    ]


def check_script(document: str, lines: list[str]) -> None:
    """Hold that lines are written in scripts that the document is written in, or in Latin.

    Letters of another script may look like those that belong there (Unicode Technical Standard
    #39, "Confusable Detection"), and small models fall into the language that they know best.

    Args:
        document: The document as it is.
        lines: Lines of it as they would be.

    Raises:
        RefusalError: They are not.
    """
    fresh = _scripts("".join(lines)) - {"LATIN"}
    if fresh and fresh - _scripts(document):
        raise RefusalError(
            "The model would write letters of a script that the document does not use, so nothing "
            "is done.",
            hint="Write in English, with Latin letters only.",
        )


def _scripts(text: str) -> set[str]:
    if text.isascii():
        return set()
    letters = {char for char in text if char > "\x7f" and char.isalpha()}
    return {unicodedata.name(char, "UNKNOWN").partition(" ")[0] for char in letters}
