"""The graphics processors of this machine, as their drivers tell of them.

Sources, and where their formats are described:

- NVIDIA: NVML through the library nvidia-ml-py where it is installed ("NVML API Reference"), else
  the program that comes with the driver (`nvidia-smi --help-query-gpu`).
- AMD on Linux: the kernel's own files, `mem_info_vram_total` and `mem_info_vram_used` (Linux
  documentation, "Core Driver Infrastructure", amdgpu), and for the name `rocm-smi --json`
  (rocm_smi_lib, python_smi_tools/rocm_smi.py).
- Apple: `system_profiler SPDisplaysDataType -json`; the memory is the machine's own.
"""

import contextlib
import json
import re
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from sirdab.models.programs import TIMEOUT_S, Run, run_program

Vendor = Literal["nvidia", "amd", "apple"]

_DRM = Path("/sys/class/drm")
_MIB = 1 << 20

_APPLE_SHARE = 0.75
"""Share of the memory that Metal lets its programs use on machines of 36 GB and more; two thirds
below (`recommendedMaxWorkingSetSize` of MTLDevice, as llama.cpp prints it)."""
_APPLE_SMALL_SHARE = 2 / 3
_APPLE_SMALL_BYTES = 36 << 30

_LEAST_BYTES = 2 << 30
"""Memory below which a graphics processor is one that draws windows: no model with its context
would fit, and such ones borrow the memory of the machine."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A graphics processor.

    Attributes:
        vendor: Who made it.
        name: Its name.
        total_bytes: Memory that models can use; 0 when not known.
        free_bytes: What of it is free now; None when not known.
        source: Who told, for example "nvml".
        is_shared: Whether the memory is that of the machine.
    """

    vendor: Vendor
    name: str
    total_bytes: int
    free_bytes: int | None
    source: str
    is_shared: bool = False

    @property
    def runs_models(self) -> bool:
        """Whether it has enough memory for the smallest of code models."""
        return self.total_bytes >= _LEAST_BYTES


def find_gpus(run: Run = run_program, ram_bytes: int = 0) -> tuple[Gpu, ...]:
    """Return the graphics processors, the one with most memory first.

    Args:
        run: Runs the programs that are asked.
        ram_bytes: Memory of the machine.
    """
    found: list[Gpu] = []
    if sys.platform == "darwin":
        text = run(("system_profiler", "SPDisplaysDataType", "-json")) or ""
        found += parse_system_profiler(text, ram_bytes)
    else:
        found += from_nvml() or from_nvidia_smi(run)
        found += from_sysfs(run)
    # Machines whose graphics processor shares the memory (DGX Spark, Jetson) tell of none.
    found = [
        replace(gpu, total_bytes=ram_bytes, is_shared=True)
        if gpu.vendor == "nvidia" and not gpu.total_bytes
        else gpu
        for gpu in found
    ]
    return tuple(sorted(found, key=lambda gpu: -gpu.total_bytes))


def from_nvml(timeout_s: float = TIMEOUT_S) -> list[Gpu]:
    """Ask NVIDIA's library; nothing where it, its driver or the Python module is missing."""
    found: list[Gpu] = []
    # A driver that hangs would hang the program's end as well, but for a thread like this.
    thread = threading.Thread(target=lambda: found.extend(_ask_nvml()), daemon=True)
    thread.start()
    thread.join(timeout_s)
    return list(found)


def _ask_nvml() -> list[Gpu]:
    try:
        import pynvml  # pyright: ignore[reportMissingImports]  # optional: nvidia-ml-py
    except ImportError:
        return []
    nvml: Any = pynvml
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return []
    try:
        return read_nvml(nvml)
    except nvml.NVMLError:
        return []
    finally:
        with contextlib.suppress(nvml.NVMLError):
            nvml.nvmlShutdown()


def read_nvml(nvml: Any) -> list[Gpu]:
    """Return what an initialised module `pynvml` tells.

    Args:
        nvml: The module. It is not a requirement, so its types are not known.
    """
    found: list[Gpu] = []
    for number in range(nvml.nvmlDeviceGetCount()):
        handle = nvml.nvmlDeviceGetHandleByIndex(number)
        name = nvml.nvmlDeviceGetName(handle)
        # Before 11.5 names were bytes.
        text = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
        try:
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        except nvml.NVMLError:
            # "Not supported" where the memory is that of the machine.
            found.append(Gpu("nvidia", text, 0, None, "nvml"))
            continue
        found.append(Gpu("nvidia", text, int(memory.total), int(memory.free), "nvml"))
    return found


def from_nvidia_smi(run: Run) -> list[Gpu]:
    """Ask the program of NVIDIA's driver."""
    query = "--query-gpu=name,memory.total,memory.free"
    return parse_nvidia_smi(run(("nvidia-smi", query, "--format=csv,noheader,nounits")) or "")


def parse_nvidia_smi(text: str) -> list[Gpu]:
    """Read lines of name, total and free memory in MiB; "[N/A]" where a device does not tell."""
    found: list[Gpu] = []
    for line in text.splitlines():
        # A name may hold commas; the two figures come last.
        parts = [part.strip() for part in line.rsplit(",", 2)]
        if len(parts) != 3 or not parts[0]:
            continue
        total, free = _whole(parts[1]), _whole(parts[2])
        found.append(
            Gpu(
                "nvidia",
                parts[0],
                (total or 0) * _MIB,
                None if free is None else free * _MIB,
                "nvidia-smi",
            )
        )
    return found


def from_sysfs(run: Run, root: Path = _DRM) -> list[Gpu]:
    """Read the files of Linux' driver for AMD, and ask for the names they do not tell."""
    found: list[Gpu] = []
    for card in sorted(root.glob("card*")):
        if not re.fullmatch(r"card\d+", card.name):
            continue  # A connector, as "card0-HDMI-A-1".
        total = _number_in(card / "device" / "mem_info_vram_total")
        used = _number_in(card / "device" / "mem_info_vram_used")
        if total:
            free = None if used is None else max(0, total - used)
            name = _line_of(card / "device" / "product_name") or "AMD GPU"
            found.append(Gpu("amd", name, total, free, "sysfs"))
    if not found:
        return found
    told = parse_rocm_smi(
        run(("rocm-smi", "--showproductname", "--showmeminfo", "vram", "--json")) or ""
    )
    return [_with_name(gpu, told) for gpu in found]


def _with_name(gpu: Gpu, told: Iterable[Gpu]) -> Gpu:
    """Return one of sysfs with the name that another source has for it.

    The two number their devices differently, so the one with the same memory is meant.
    """
    same = next((one for one in told if one.total_bytes == gpu.total_bytes), None)
    return replace(gpu, name=same.name) if same else gpu


def parse_rocm_smi(text: str) -> list[Gpu]:
    """Read what `rocm-smi --showproductname --showmeminfo vram --json` prints.

    It is one object with a member for each card; all values are texts. Warnings may come first.
    """
    tree = _json_object(text[text.find("{") :] if "{" in text else "")
    found: list[Gpu] = []
    for key, value in tree.items():
        if not key.startswith("card") or not isinstance(value, dict):
            continue
        # The spelling of names has changed between versions ("Card series", "Card Series").
        fields = {
            name.lower(): str(one).strip() for name, one in cast("dict[str, Any]", value).items()
        }
        total = _whole(fields.get("vram total memory (b)", ""))
        used = _whole(fields.get("vram total used memory (b)", ""))
        names = (fields.get(name, "") for name in ("card series", "card model", "card sku"))
        # A card whose name the tool does not know is told by its number.
        name = next((one for one in names if one and not one.startswith("0x")), "AMD GPU")
        free = max(0, total - used) if total is not None and used is not None else None
        found.append(Gpu("amd", name, total or 0, free, "rocm-smi"))
    return found


def parse_system_profiler(text: str, ram_bytes: int) -> list[Gpu]:
    """Read what `system_profiler SPDisplaysDataType -json` prints.

    Args:
        text: The output.
        ram_bytes: Memory of the machine, which Apple's own processors share.
    """
    entries = _json_object(text).get("SPDisplaysDataType")
    found: list[Gpu] = []
    for entry in cast("list[Any]", entries) if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        fields = cast("dict[str, Any]", entry)
        name = str(fields.get("sppci_model") or fields.get("_name") or "")
        if fields.get("spdisplays_vendor") == "sppci_vendor_Apple" or name.startswith("Apple "):
            share = _APPLE_SHARE if ram_bytes >= _APPLE_SMALL_BYTES else _APPLE_SMALL_SHARE
            cores = str(fields.get("sppci_cores", ""))
            title = f"{name} GPU, {cores} cores" if cores.isdecimal() else f"{name} GPU"
            usable = int(ram_bytes * share)
            found.append(Gpu("apple", title, usable, None, "system_profiler", is_shared=True))
        elif name:
            vendor: Vendor = "nvidia" if "nvidia" in name.lower() else "amd"
            size = _mac_size(str(fields.get("spdisplays_vram", "")))
            # Those of Intel only draw windows, and no model runs on them.
            if "intel" not in name.lower():
                found.append(Gpu(vendor, name, size, None, "system_profiler"))
    return found


def _mac_size(text: str) -> int:
    match = re.fullmatch(r"([\d.]+) ([MG])B", text.strip())
    unit = {"M": 1 << 20, "G": 1 << 30}
    return int(float(match[1]) * unit[match[2]]) if match else 0


def _json_object(text: str) -> dict[str, Any]:
    try:
        tree: Any = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", tree) if isinstance(tree, dict) else {}


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None


def _number_in(path: Path) -> int | None:
    return _whole(_line_of(path))


def _line_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
