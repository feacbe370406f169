"""What counts as a secret, and what does not.

The secrets here were made up for this table. They are put together from halves, so that no
scanner of repositories takes this file for a leak.
"""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.policy import secrets
from sirdab.policy.secret_forms import KEY_OF
from sirdab.policy.secrets import (
    PLACEHOLDER,
    find_secrets,
    forget,
    is_inside_secret,
    line_has_secret,
    redact,
    redact_around,
)
from tests.support.secret_lines import samples

MIXED = "q7Zr2Xw9" + "Lk4Tb8Yc" + "1Vn6Mh3P" + "d5Sf0GjA" + "e9Ru2Kx7"
LOWER = "q7zr2xw9" + "lk4tb8yc" + "1vn6mh3p" + "d5sf0gja"
HEX = "9f86d081" + "884c7d65" + "9a2feaa0" + "c55ad015"
B64 = "Zq3vT9xK1mWc7LpR4sYb8NdH2gJf6QaE5uXk0VtM3hPz9CwS7rLy1BnD8eGo4IxU"
UUID = "3f2b8c1e" + "-7d4a-4e9b-" + "a1c6-5b0d9e8f7a64"

# Each line has its secret between the marks « and ».
SECRET_LINES = [
    # Forms of issuers.
    "key = '«AKIA" + "QWERZX34ABCD5678»'",
    "aws_access_key_id = «ASIA" + "2345QWERTZ6ABCDX»",
    'const id = "«AKIA' + 'IOSFODNN7EXAMPLE»";',
    'token = "«ghp_' + MIXED[:36] + '»"',
    "git clone https://«gho_" + MIXED[:36] + "»@github.com/a/b",
    "GH=«github_pat_" + "11ABCDEFG0" + MIXED[:30] + "»",
    "glab auth login --token «glpat-" + MIXED[:20] + "»",
    'slack = "«xoxb-' + "2048" + "1024" + "512-" + MIXED[:24] + '»"',
    "url: https://hooks.slack.com/services/«T024AB" + "CDE/B01" + "XYZ9QW/" + MIXED[:24] + "»",
    'maps("«AIza' + "Sy" + MIXED[:33] + '»")',
    "client: «GOCSPX-" + MIXED[:28] + "»",
    'auth = "«ya29.' + MIXED + '»"',
    "stripe.api_key = '«sk_" + "live_" + MIXED[:24] + "»'",
    "const k = `«rk_" + "test_" + MIXED[:24] + "»`;",
    "endpoint.secret = «whsec_" + MIXED[:32] + "»",
    'client = OpenAI("«sk-' + "proj-" + MIXED + '»")',
    "x-api-key: «sk-" + "ant-api03-" + MIXED + "»",
    "hf = '«hf_" + MIXED[:34] + "»'",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=«" + B64 + B64[:20] + "==»;",
    "Endpoint=sb://a.net/;SharedAccessKeyName=n;SharedAccessKey=«" + B64[:43] + "=»",
    "https://a.blob.core.windows.net/c?sv=2022&sig=«" + B64[:43] + "%3D»",
    "npm config set «npm_" + MIXED[:36] + "»",
    "//registry.example.org/:_authToken=«" + MIXED[:32] + "»",
    "  password = '«pypi-" + "AgEIcHlwaS5vcmc" + MIXED + MIXED + "»'",
    "sg = '«SG." + MIXED[:22] + "." + MIXED + "Qw»'",
    "bot = Bot('«123456789:AA" + MIXED[:33] + "»')",
    "do: «dop_v1_" + HEX + HEX + "»",
    "shop = «shpat_" + HEX + "»",
    "VAULT = «hvs." + MIXED + "»",
    "host: «dapi" + HEX + "»",
    "jwt = '«eyJ" + "hbGciOiJIUzI1NiJ9." + "eyJzdWIiOiI0MiIsIm4iOiJ4In0." + MIXED + "»'",
    "curl -H 'Authorization: Bearer «" + MIXED + "»'",
    'headers = {"Authorization": "Basic «' + B64[:28] + '»"}',
    # Passwords in addresses and connection strings.
    'DATABASE_URL = "postgres://app:«' + "h8Kd-" + 'q2Lx»@db.internal:5432/app"',
    "redis://:«" + "p4ss" + "Wq9z»@cache:6379/0",
    "mongodb+srv://svc:«" + "R7!tq" + "Zk3»@cluster0.abc.mongodb.net/x",
    "amqp://worker:«" + "tanz-" + "bar-7»@mq/",
    '"Server=db;Database=x;User Id=sa;Password=«' + "Wq9" + '!zTr4»;"',
    "jdbc:sqlserver://db;user=sa;password=«" + "Lx7" + "#pQ2w»;encrypt=true",
    # Literals given to names that say so.
    'password = "«' + "hunter" + '2»"',
    "password = '«" + "Tr0ub4" + "dor&3»'",
    'PASSWORD: "«' + "s3cr3t-" + 'P@ss»"',
    'db.passwd = "«' + "Kx9" + 'vLq2w»"',
    # Some have a word in them that says what they are for.
    'password = "«' + "hunter2-Sup3r" + 'SecretValue-zz91»"',
    "password = '«" + "Sup3rSecret" + "Pass99»'",
    'PASSWORD = "«' + "prod-token-" + '7hX2k9»"',
    "db_password = '«" + "adminPass" + "2024x7q»'",
    'client_secret = "«' + "aB3-secret-" + '9Zk2mQ7x»"',
    'api_key: "«' + "prod-Secret-" + '9Zk2mQ7x»"',
    "export DB_PASSWORD=«" + "hunter2-Sup3r" + "SecretValue-zz91»",
    '    "password": "«' + "Kx9!" + 'vLq2w»",',
    "'passphrase' => '«" + "9 ".strip() + "kTz7" + "Qw#»',",
    'let password: &str = "«' + "Zt6" + 'wQp9x»";',
    'const pwd: string = "«' + "Zt6" + 'wQp9x»";',
    'password := "«' + "Zt6" + 'wQp9x»"',
    'os.environ["DB_PASSWORD"] = "«' + "Zt6" + 'wQp9x»"',
    'if (password === "«' + "Zt6" + 'wQp9x»") {',
    'login(user, password="«' + "Zt6" + 'wQp9x»", retry=True)',
    "export DB_PASSWORD=«" + "hunter" + "2»",
    "POSTGRES_PASSWORD=«" + "Zt6" + "wQp9x»",
    "ENV ROOT_PASSWORD=«" + "Zt6" + "w!Qp9x»",
    "  password: «" + "Zt6w!" + "Qp9x»",
    'api_key = "«' + MIXED[:32] + '»"',
    'apiKey: "«' + LOWER + '»",',
    'API_KEY = "«' + HEX + '»"',
    'client_secret = "«' + MIXED[:24] + '»"',
    'clientSecret: "«' + UUID + '»"',
    'SECRET_KEY = "«' + "dj-" + MIXED + '»"',
    'private_key = "«' + B64 + '»"',
    'auth_token = b"«' + HEX + '»"',
    'accessToken = "«' + MIXED + '»"',
    "secret_key: «" + MIXED[:32] + "»",
    "export API_TOKEN=«" + HEX + "»",
    "aws_secret_access_key = «" + B64[:40] + "»",
    'json = "{\\"token\\": \\"«' + MIXED[:32] + '»\\"}"',
    "mysql --user root --password «" + "Zt6" + "wQp9x»",
    "deploy --api-key=«" + HEX + "» --force",
]  # fmt: skip

ORDINARY_LINES = [
    # Code about secrets.
    'password = os.environ["DB_PASSWORD"]',
    'password = os.getenv("DB_PASSWORD", "")',
    "password = getpass.getpass()",
    "password = config.database.password2",
    "self.password = password",
    "const password = req.body.password;",
    "let token = lexer.next_token();",
    "token = tokens[0]",
    "token = self.tokenizer.decode(ids)",
    'tokenizer = "Qwen/Qwen2.5-Coder-0.5B-Instruct"',
    "password: str = Field(min_length=8)",
    "password: string;",
    "def check_password(password: str, hashed: bytes) -> bool:",
    "if password == confirm_password:",
    "    return secrets.token_urlsafe(32)",
    "max_tokens = 2048",
    "secret = Secret.from_env('API_SECRET')",
    "api_key = settings.api_key",
    'api_key: str | None = None',
    "passwordHash = bcrypt.hash(password, 10)",
    "access_key=args.access_key,",
    "private_key = load_pem_private_key(data, None)",
    'if "-----BEGIN PRIVATE KEY-----" in text:',
    # Empty and stand-in values.
    'password = ""',
    "password = ''",
    'password = "changeme"',
    'password = "auth2FormField3Name"',
    'password = "oauth2PasswordForm"',
    'password = "user1Login2Field"',
    'password = "my-secret-token-2"',
    'secret = "oauth2-client-secret-v1"',
    'PASSWORD = "AUTH0_PASSWORD_REALM2X"',
    'token = "your-token-7hX2k9Qw3e"',
    'password = "change_me_123"',
    'password = "password"',
    'password = "password1"',
    'password = "secret"',
    'password = "********"',
    'password = "xxxxxxxx"',
    'password = "<your password>"',
    'password = "your-password-here1"',
    'password = "${DB_PASSWORD}"',
    'password = "{{ db_password }}"',
    'password = f"{prefix}{number}"',
    'password = "%(password)s"',
    'password = "test"',
    'password = "12345678"',
    'api_key = "YOUR_API_KEY_123456789"',
    'api_key = "sk-xxxxxxxxxxxxxxxxxxxxxxxx"',
    'api_key = "example-key-0123456789abcdef"',
    'token = "ghp_' + "x" * 36 + '"',
    'token = "test-token-1234567890"',
    'secret = "REDACTED"',
    "API_KEY=",
    "export TOKEN=$(cat /run/token)",
    "export PASSWORD=$PASSWORD1",
    "PASSWORD=changeme",
    "AKIA" + "X" * 16,
    # Names that only speak of a secret.
    'password_field = "user_password_2"',
    'PASSWORD_HEADER = "X-Auth-Password1"',
    'token_url = "https://auth.example.com/oauth2/token"',
    'token_type = "Bearer"',
    'secret_name = "prod/db1/credentials"',
    'secretName: "app-tls-cert-2024-prod"',
    'password_input = "#password1-input"',
    'passwordError: "Use 8 characters!",',
    'label = "Password (8+ characters)"',
    'placeholder="Password: 8 or more"',
    "password: 'required|string|min:8|confirmed',",
    'password_regex = r"^(?=.*[A-Z])(?=.*[0-9]).{8,}$"',
    'password = "auth.form1.password"',
    'PASSWORD_FILE = "/run/secrets/db_password1"',
    'pwd = "/home/app1/src"',
    'pwd = "C:\\\\Users\\\\app1"',
    'secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x"',
    'token_endpoint: "https://login.example.com/v2.0/token"',
    'csrfTokenName = "csrfmiddlewaretoken12"',
    # Things with as much entropy that are no secrets.
    'id = "3f2b8c1e-7d4a-4e9b-a1c6-5b0d9e8f7a64"',
    'token = "3f2b8c1e-7d4a-4e9b-a1c6-5b0d9e8f7a64"',
    '"integrity": "sha512-' + B64 + B64[:22] + '==",',
    "    --hash=sha256:" + HEX + HEX,
    'checksum = "' + HEX + HEX + '"',
    "commit " + HEX + "8b1a9953",
    'sha256 = "' + HEX + HEX + '";',
    "uses: actions/checkout@" + HEX + "8b1a9953",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    'etag = "W/\\"' + HEX + '\\""',
    "from golang.org/x/crypto v0.17.0 h1:" + B64[:43] + "=",
    "\u0627\u0644\u0633\u0644\u0627\u0645 = '\u0645\u0631\u062d\u0628\u0627'",
    # Addresses without a real password.
    "http://localhost:8080/path@2x.png",
    "https://user@example.com/repo.git",
    "postgres://postgres:postgres@localhost:5432/test",
    "postgres://user:password@localhost/db",
    "postgres://app:${PGPASSWORD}@db/app",
    "mongodb://<user>:<password>@host/",
    "redis://:%s@cache:6379",
    'f"amqp://{user}:{password}@{host}/"',
    'ssh = "git@github.com:sirdab/sirdab.git"',
    "time: 12:30:45 @ noon",
    # Words that begin like a form.
    "the task-management-system-for-everyone-2024-edition-12 is here",
    ".sk-loading-spinner-animation-0123456789 { color: red }",
    "xoxo = hugs",
    "def glide(self): return self.global_state",
    "Bearer of good news for 2024 and everyone in the neighbourhood",
    "basic configuration-of-the-project",
    "value = await self.shared_key_store.get(name)",
    "keyboard = 'qwertz'",
    "from x import aiza, asia, eyjafjallajokull",
]  # fmt: skip


@pytest.mark.parametrize("marked", SECRET_LINES)
def test_a_secret_is_found_and_only_it_is_taken_out(marked: str) -> None:
    line = re.sub("[«»]", "", marked)
    expect = re.sub("«.*»", PLACEHOLDER, marked)
    assert line_has_secret(line)
    assert redact(line) == expect
    # Once is enough: what stands in its place is no secret.
    assert redact(expect) == expect


@pytest.mark.parametrize("line", ORDINARY_LINES)
def test_ordinary_code_is_left_alone(line: str) -> None:
    assert find_secrets(line) == []


def test_the_table_is_as_large_as_it_claims() -> None:
    assert len(set(SECRET_LINES)) >= 60
    assert len(set(ORDINARY_LINES)) >= 80


def check_block(before: str, expect: str) -> None:
    assert redact(before) == expect


BODY = [B64, B64[::-1], "Ab3=" + ""]
HIDDEN = [PLACEHOLDER] * 3
BEGIN, END = "-----BEGIN RSA PRIVATE " + "KEY-----", "-----END RSA PRIVATE " + "KEY-----"


@pytest.mark.parametrize(
    "frame",
    [
        # Whole, with markers.
        "a = 1\n{BEGIN}\n{0}\n{1}\n{2}\n{END}\nb = 2\n",
        # The window shows only one of the markers.
        "{BEGIN}\n{0}\n{1}\n{2}",
        "{0}\n{1}\n{2}\n{END}\nrest = 1",
        # Windows line ends, quoted lines, comments, one line with written line ends.
        "{BEGIN}\r\n{0}\r\n{1}\r\n{2}\r\n{END}\r\n",
        'key = (\n    "{BEGIN}\\n"\n    "{0}\\n"\n    "{1}\\n"\n    "{2}\\n"\n    "{END}\\n"\n)\n',
        "# {BEGIN}\n# {0}\n# {1}\n# {2}\n# {END}\n",
        'key = """{BEGIN}\n{0}\n{1}\n{2}\n{END}"""\n',
        "{BEGIN}\nProc-Type: 4,ENCRYPTED\n\n{0}\n{1}\n{2}\n{END}\n",
    ],
)
def test_a_private_key_is_taken_out_line_by_line(frame: str) -> None:
    before = frame.format(*BODY, BEGIN=BEGIN, END=END)
    check_block(before, frame.format(*HIDDEN, BEGIN=BEGIN, END=END))


def test_a_private_key_in_one_literal_is_taken_out() -> None:
    for kind in ("", "EC ", "OPENSSH ", "ENCRYPTED "):
        begin, end = (
            f"-----BEGIN {kind}PRIVATE " + "KEY-----",
            f"-----END {kind}PRIVATE " + "KEY-----",
        )
        before = f'"private_key": "{begin}\\n{BODY[0]}\\n{BODY[1]}\\n{end}\\n",'
        check_block(before, f'"private_key": "{begin}\\n{PLACEHOLDER}\\n{end}\\n",')


@pytest.mark.parametrize(
    "code",
    [
        f'BEGIN = "{BEGIN}"\nEND = "{END}"\n\ndef strip(text):\n    pass\n',
        f"{BEGIN}\npass\nreturn\n",
        f"break\n{END}\n",
        "-----BEGIN CERTIFICATE-----\n" + B64 + "\n-----END CERTIFICATE-----\n",
        "-----BEGIN PUBLIC KEY-----\n" + B64 + "\n-----END PUBLIC KEY-----\n",
    ],
)
def test_code_that_names_the_markers_is_left_alone(code: str) -> None:
    check_block(code, code)


def test_every_secret_of_a_text_is_found_with_its_kind() -> None:
    text = "İ = 1\n" + "a = 'ghp_" + MIXED[:36] + "'\nb = 2\n" + 'password = "hunter' + '2"\n'
    found = [(text[start:stop], kind) for start, stop, kind in find_secrets(text)]
    assert found == [("ghp_" + MIXED[:36], "github-token"), ("hunter" + "2", "assigned-secret")]


def test_overlapping_signs_give_one_place() -> None:
    line = 'api_key = "sk_' + "live_" + MIXED[:24] + '"'
    assert len(find_secrets(line)) == 1


def test_very_long_lines_are_searched_as_well() -> None:
    line = "x = 1; " * 20_000 + 'password = "hunter' + '2"'
    assert redact(line) == "x = 1; " * 20_000 + f'password = "{PLACEHOLDER}"'


@given(st.text(alphabet=st.sampled_from("password=\"':/@.-k\n1xQ$ {}İ"), max_size=80))
def test_redaction_is_stable_and_keeps_lines(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
    assert once.count("\n") == text.count("\n")


# --- Labelled lines ---------------------------------------------------------------------------

LABELLED = samples(seed=7, variants=3)
# What the patterns are not meant to find, and those few passwords that look like words.
NOT_MEANT = {"secret.unnamed", "secret.assigned"}


@pytest.mark.parametrize("group", sorted({sample.group for sample in LABELLED} - NOT_MEANT))
def test_labelled_lines_are_judged_as_their_labels_say(group: str) -> None:
    for sample in (one for one in LABELLED if one.group == group):
        found = find_secrets(sample.text)
        if not sample.secrets:
            assert found == [], sample.text
        for start, stop in sample.secrets:
            assert any(span.start <= start and stop <= span.stop for span in found), sample.text
        rest = redact(sample.text)
        assert all(sample.text[start:stop] not in rest for start, stop in sample.secrets)


def test_most_labelled_passwords_are_found() -> None:
    wanted = [sample for sample in LABELLED if sample.group == "secret.assigned"]
    assert sum(bool(find_secrets(sample.text)) for sample in wanted) >= 0.9 * len(wanted)


def test_the_recipes_hold_no_secret_themselves() -> None:
    folder = Path(__file__).parents[2] / "fixtures" / "secrets"
    for path in folder.iterdir():
        assert find_secrets(path.read_text(encoding="utf-8")) == []


# --- The two sides of a cursor ----------------------------------------------------------------

KEY = [BEGIN, B64, B64[::-1], "Ab3=Zz9", END]


@pytest.mark.parametrize("line", range(5))
@pytest.mark.parametrize("column", [0, 1, 20, 200])
def test_no_part_of_a_key_is_left_on_either_side_of_a_cursor(line: int, column: int) -> None:
    text = "\n".join(["a = 1", *KEY, "b = 2"])
    cut = sum(len(one) + 1 for one in ["a = 1", *KEY][: line + 1]) + min(column, len(KEY[line]))
    before, after = redact_around(text[:cut], text[cut:])
    for part in (B64, B64[::-1]):
        for start in range(len(part) - 12):
            assert part[start : start + 12] not in before + after
    assert before.startswith("a = 1\n")
    assert after.endswith("\nb = 2")
    assert (before + after).count("\n") == text.count("\n")


def test_a_side_that_shows_no_marker_is_judged_with_the_other() -> None:
    before, after = redact_around(f"{BEGIN}\n{B64}\n{B64[:20]}", f"{B64[20:]}\n{B64[::-1]}\n")
    assert before == f"{BEGIN}\n{PLACEHOLDER}\n{PLACEHOLDER}"
    assert after == f"{PLACEHOLDER}\n{PLACEHOLDER}\n"


def test_a_secret_through_which_the_cursor_goes_leaves_neither_half() -> None:
    token = "ghp_" + MIXED[:36]
    for cut in range(len(token) + 1):
        before, after = redact_around(f"token = '{token[:cut]}", f"{token[cut:]}'\nx = 1\n")
        assert not any(token[n : n + 8] in before + after for n in range(len(token) - 8))
        assert before.startswith("token = '")
        assert after.endswith("'\nx = 1\n")


@given(st.text(alphabet="ab='\"/+\n-K1", max_size=60), st.text(alphabet="ab='\"/+\n", max_size=60))
def test_code_without_secrets_passes_both_sides(before: str, after: str) -> None:
    assert redact_around(before, after) == (before, after)


def inside(lines: list[str], number: int) -> bool:
    return is_inside_secret(lines.__getitem__, len(lines), number)


@pytest.mark.parametrize(
    ("lines", "expect"),
    [
        (["x = 1", *KEY, "y = 2"], {2, 3, 4}),
        ([BEGIN, B64, "", B64, END, "", "x"], {1, 2, 3}),
        # What somebody is about to write below a part of a key.
        ([BEGIN, B64, B64, ""], {1, 2, 3}),
        ([B64, B64, END, ""], {0, 1}),
        ([f'key = "{BEGIN}\\n{B64}\\n{END}"', "", "x = 1"], {0}),
        ([f"marker = '{BEGIN}'", "", "def f(): pass"], set()),
        (["-----BEGIN CERTIFICATE-----", B64, B64, "-----END CERTIFICATE-----"], set()),
        (["a = 1", 'token = "ghp_' + MIXED[:36] + '"', "b = 2"], {1}),
        (["x = 1"], set()),
        ([""], set()),
    ],
)
def test_which_lines_lie_within_a_secret(lines: list[str], expect: set[int]) -> None:
    assert {number for number in range(len(lines)) if inside(lines, number)} == expect


def test_a_key_far_down_a_large_file_is_seen() -> None:
    lines = ["x = 1"] * 5_000 + KEY + ["y = 2"] * 5_000
    assert [number for number in range(4_990, 5_020) if inside(lines, number)] == [5001, 5002, 5003]


@pytest.mark.parametrize(
    "line",
    [
        "password = '" + "a1!" * 20_000 + "'",
        "token" * 20_000,
        "api_key=" * 10_000,
        "://" + "a" * 50_000 + ":" + "b" * 50_000,
        "eyJ" * 30_000,
        "eyJ" + "a" * 20_000 + ".eyJ" + "b" * 20_000,
        "-----BEGIN PRIVATE KEY-----" * 2_000,
        "Bearer " * 10_000,
        "--password " * 10_000,
        "secret: " + "<" * 40_000,
        "SG." * 20_000,
        "xoxb-" * 20_000,
        "pwd\t" * 20_000 + "=",
        "key" * 30_000,
        "-----BEGIN PRIVATE KEY-----\n" + " " * 400_000 + "x",
        "-----BEGIN PRIVATE KEY-----\n" + "'" * 400_000 + "x",
    ],
    ids=range(16),
)
def test_no_line_takes_long(line: str) -> None:
    # Backtracking would take longer than anybody waits; the test's own time limit would tell.
    find_secrets(line)


def test_a_line_full_of_names_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    searches: list[int] = []

    class Counted:
        @staticmethod
        def search(text: str, start: int, stop: int) -> object:
            searches.append(stop)
            return KEY_OF.search(text, start, stop)

    monkeypatch.setattr(secrets, "KEY_OF", Counted)
    forget()
    assert find_secrets("api_key " * 1_000 + f"\nkey\napi_key = '{'a1B2c3D4e5F6g7H8'}'")
    # Once in each of the lines; the first one would be copied a thousand times otherwise.
    assert len(searches) == 3
