"""What the model may see beside the file that a hole was dug in."""

from pathlib import Path

import pytest

from sirdab.benchmark.holes import Hole, choose
from sirdab.benchmark.neighbourhood import MOST_OPEN, Neighbourhood
from sirdab.completion.window import Window
from sirdab.config.schema import Settings
from sirdab.models.catalog import family_of
from sirdab.policy.uris import path_of

ORDER = "class Order:\n    def settle(self, amount):\n        return amount\n"
OWN = "from order import Order\n\n\ndef work_with_it(first, second):\n    return Order(first)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "far").mkdir()
    (tmp_path / "shop" / "own.py").write_text(OWN)
    (tmp_path / "far" / "order.py").write_text(ORDER)
    for number in range(MOST_OPEN):
        (tmp_path / "shop" / f"near_{number}.py").write_text(f"near_{number} = 1\n")
    return tmp_path


def hole_in(folder: Path) -> Hole:
    return next(hole for hole in choose(folder, ("line",), 40, 1) if hole.path == "shop/own.py")


async def test_without_context_the_file_is_alone(folder: Path) -> None:
    async with Neighbourhood(folder, 0) as around:
        request = await around.request(hole_in(folder), Settings())
        assert around.source is None
    assert request.open_documents == request.workspace_folders == ()
    assert request.snapshot.uri.startswith("untitled:")


async def test_the_nearest_files_are_open(folder: Path) -> None:
    async with Neighbourhood(folder, 500) as around:
        assert around.source is not None
        hole = hole_in(folder)
        request = await around.request(hole, Settings())
        names = [Path(path_of(one.uri) or "").name for one in request.open_documents]
        assert names == [f"near_{number}.py" for number in range(MOST_OPEN)]
        assert path_of(request.snapshot.uri) == str(folder / "shop" / "own.py")

        # The far one is in the index; the file itself, with what is in the hole, never counts.
        family, window = family_of("qwen2.5-coder"), Window("", "", "", 0, 9)
        block = around.source.block(request, family, 0, 9_999, window)
        assert "class Order:" in block.text
        assert "shop/own.py" not in {part.path for part in block.parts}
        around.show(0)
        assert around.source.block(request, family, 0, 9_999, window).text == ""
