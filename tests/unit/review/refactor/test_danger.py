"""What rewritten code may not begin to do."""

import pytest

from sirdab.review.refactor import danger
from sirdab.review.refactor.refusal import RefusalError


@pytest.mark.parametrize(
    "line",
    [
        'const https = require("https");',
        "import https from 'node:https';",
        'import * as web from "https";',
        'import "https";',
        'const { get } = await import("http");',
        'import "net/http"',
        '\t"net/http"',
        "import socket",
        'const net = require("net");',
    ],
)
def test_bringing_in_the_network_is_refused(line: str) -> None:
    with pytest.raises(RefusalError, match="use the network"):
        danger.check(["x = 1"], ["x = 1", line])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('if parts.scheme is not "https":', 'if parts.scheme != "https":'),
        ("const secure = scheme == 'https';", "const secure = scheme === 'https';"),
    ],
)
def test_the_name_of_a_scheme_is_no_import(before: str, after: str) -> None:
    danger.check([before], [after])
