"""Generated files agree with the schema."""

from pathlib import Path

from sirdab.config.generate import settings_table, targets
from sirdab.config.schema import all_settings

ROOT = Path(__file__).resolve().parents[3]


def test_no_generated_file_has_drifted() -> None:
    stale = [path for path, text in targets(ROOT).items() if path.read_text("utf-8") != text]
    assert stale == [], "run `make docs`"


def test_the_table_has_a_row_for_every_setting() -> None:
    table = settings_table()
    assert all(f"| `{info.key}`" in table for info in all_settings())
