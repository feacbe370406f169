"""Our own page about the rules agrees with them, and findings link into it."""

import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from sirdab.review import document_rules, rules


def test_the_page_is_up_to_date() -> None:
    assert document_rules.PAGE.read_text("utf-8") == document_rules.page(), "run `make docs`"


def test_each_rule_has_its_anchor_once() -> None:
    page = document_rules.page()
    anchors = re.findall(r'<a id="([\w-]+)"></a>', page)
    assert sorted(anchors) == sorted(rule.id for rule in rules.all_rules())


def test_links_are_files_of_the_package() -> None:
    for rule in rules.all_rules():
        address = urlsplit(rules.page_of(rule.id))
        assert (address.scheme, address.netloc, address.fragment) == ("file", "", rule.id)
        assert Path(url2pathname(address.path)) == document_rules.PAGE
    assert rules.page_of("no-such-rule") == ""


def test_the_page_names_no_address() -> None:
    assert "://" not in document_rules.page()
