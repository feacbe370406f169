"""What this machine has, from recorded outputs of the programs and files that tell of it.

Sources of the recordings: nvidia-smi(1), "--query-gpu" (MiB, "[N/A]" where a device does not tell);
rocm_smi_lib, python_smi_tools/rocm_smi.py (the names of the members, and their spelling in two
versions); Linux documentation, amdgpu, "mem_info_vram_total"; `system_profiler SPDisplaysDataType
-json` of an Apple M1 and of a Mac with two processors of Intel's time; `sysctl hw.optional` of an
M1; /proc/cpuinfo of an x86 server and of a board with an ARM processor.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sirdab.models import gpus, hardware, programs
from sirdab.models.gpus import Gpu

MIB = 1 << 20
GIB = 1 << 30


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "NVIDIA GeForce RTX 4090, 24564, 23010\n",
            [("NVIDIA GeForce RTX 4090", 24564 * MIB, 23010 * MIB)],
        ),
        (
            "Tesla T4, 15360, 14999\nNVIDIA A100-SXM4-80GB, 81920, 81231\n",
            [
                ("Tesla T4", 15360 * MIB, 14999 * MIB),
                ("NVIDIA A100-SXM4-80GB", 81920 * MIB, 81231 * MIB),
            ],
        ),
        ("NVIDIA GB10, [N/A], [N/A]\n", [("NVIDIA GB10", 0, None)]),
        ("Quadro, with a comma, 4096, 100\n", [("Quadro, with a comma", 4096 * MIB, 100 * MIB)]),
        ("No devices were found\n", []),
        ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", []),
        ("", []),
    ],
)
def test_nvidia_smi(text: str, found: list[tuple[str, int, int | None]]) -> None:
    read = gpus.parse_nvidia_smi(text)
    assert [(gpu.name, gpu.total_bytes, gpu.free_bytes) for gpu in read] == found


class _Nvml:
    """The part of the module pynvml that is used, with its own exception."""

    class NVMLError(Exception):
        pass

    def __init__(self, *devices: tuple[Any, int, int] | tuple[Any, None, None]) -> None:
        self._devices = devices

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802 - NVML's own name
        return len(self._devices)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetName(self, handle: int) -> Any:  # noqa: N802
        return self._devices[handle][0]

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:  # noqa: N802
        _, total, free = self._devices[handle]
        if total is None:
            raise self.NVMLError("Not Supported")
        return SimpleNamespace(total=total, free=free, used=total - (free or 0))


def test_nvml() -> None:
    module = _Nvml(("NVIDIA L4", 23 * GIB, 22 * GIB), (b"Tesla K80", GIB, 0), ("GB10", None, None))
    assert gpus.read_nvml(module) == [
        Gpu("nvidia", "NVIDIA L4", 23 * GIB, 22 * GIB, "nvml"),
        Gpu("nvidia", "Tesla K80", GIB, 0, "nvml"),
        Gpu("nvidia", "GB10", 0, None, "nvml"),
    ]


def test_a_driver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "_ask_nvml", lambda: time.sleep(30) or [])
    assert gpus.from_nvml(timeout_s=0.05) == []


NEW_ROCM = {
    "card0": {
        "VRAM Total Memory (B)": "25753026560",
        "VRAM Total Used Memory (B)": "1073741824",
        "Card Series": "Radeon RX 7900 XTX",
        "Card Model": "0x744c",
        "Card Vendor": "Advanced Micro Devices, Inc. [AMD/ATI]",
        "GFX Version": "gfx1100",
    },
    "system": {"Driver version": "6.8.5"},
}
OLD_ROCM = {
    "card1": {
        "VRAM Total Memory (B)": "17163091968",
        "VRAM Total Used Memory (B)": "9990144",
        "Card series": "Vega 20 [Radeon VII]",
        "Card model": "0x081e",
        "Card SKU": "D36009",
    }
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (json.dumps(NEW_ROCM), [("Radeon RX 7900 XTX", 25753026560, 24679284736)]),
        (json.dumps(OLD_ROCM), [("Vega 20 [Radeon VII]", 17163091968, 17153101824)]),
        (
            f"WARNING: AMD GPU device(s) is/are in a low-power state.\n\n{json.dumps(NEW_ROCM)}",
            [("Radeon RX 7900 XTX", 25753026560, 24679284736)],
        ),
        ('{"card0": {"Card Series": "0x1586", "Card Model": "0x1586"}}', [("AMD GPU", 0, None)]),
        ('{"card0": "N/A"}', []),
        ("ERROR: GPU[0]: no permission", []),
        ("{", []),
        ("", []),
    ],
)
def test_rocm_smi(text: str, found: list[tuple[str, int, int | None]]) -> None:
    read = gpus.parse_rocm_smi(text)
    assert [(gpu.name, gpu.total_bytes, gpu.free_bytes) for gpu in read] == found


def _sysfs(root: Path, **cards: tuple[int, int]) -> Path:
    for card, (total, used) in cards.items():
        device = root / card / "device"
        device.mkdir(parents=True)
        (device / "mem_info_vram_total").write_text(f"{total}\n")
        (device / "mem_info_vram_used").write_text(f"{used}\n")
    return root


def test_sysfs_with_the_name_that_rocm_smi_has(tmp_path: Path) -> None:
    root = _sysfs(tmp_path, card1=(25753026560, 2 * GIB), card0=(512 * MIB, 0))
    (root / "card1-HDMI-A-1").mkdir()
    (root / "renderD128").mkdir()
    (root / "card2" / "device").mkdir(parents=True)  # Another vendor's.
    asked: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> str:
        asked.append(command)
        return json.dumps(NEW_ROCM)

    assert gpus.from_sysfs(run, root) == [
        Gpu("amd", "AMD GPU", 512 * MIB, 512 * MIB, "sysfs"),
        Gpu("amd", "Radeon RX 7900 XTX", 25753026560, 25753026560 - 2 * GIB, "sysfs"),
    ]
    assert asked[0][0] == "rocm-smi"


def test_sysfs_without_rocm(tmp_path: Path) -> None:
    root = _sysfs(tmp_path, card0=(16 * GIB, GIB))
    (root / "card0" / "device" / "product_name").write_text("Radeon PRO W6800\n")
    found = gpus.from_sysfs(lambda _: None, root)
    assert found == [Gpu("amd", "Radeon PRO W6800", 16 * GIB, 15 * GIB, "sysfs")]
    assert gpus.from_sysfs(lambda _: None, tmp_path / "none") == []


M1 = {
    "SPDisplaysDataType": [
        {
            "_name": "kHW_AppleM1Item",
            "spdisplays_mtlgpufamilysupport": "spdisplays_metal3",
            "spdisplays_ndrvs": [{"_name": "Color LCD", "_spdisplays_pixels": "2880 x 1800"}],
            "spdisplays_vendor": "sppci_vendor_Apple",
            "sppci_bus": "spdisplays_builtin",
            "sppci_cores": "7",
            "sppci_device_type": "spdisplays_gpu",
            "sppci_model": "Apple M1",
        }
    ]
}
INTEL_MAC = {
    "SPDisplaysDataType": [
        {
            "_name": "Intel UHD Graphics 630",
            "spdisplays_vendor": "Intel",
            "spdisplays_vram_shared": "1536 MB",
            "sppci_model": "Intel UHD Graphics 630",
        },
        {
            "_name": "Radeon Pro 5500M",
            "spdisplays_vendor": "sppci_vendor_amd",
            "spdisplays_vram": "8 GB",
            "sppci_model": "AMD Radeon Pro 5500M",
        },
    ]
}


@pytest.mark.parametrize(
    ("tree", "ram", "found"),
    [
        (M1, 16 * GIB, [("Apple M1 GPU, 7 cores", int(16 * GIB * 2 / 3), True)]),
        (M1, 64 * GIB, [("Apple M1 GPU, 7 cores", 48 * GIB, True)]),
        (INTEL_MAC, 16 * GIB, [("AMD Radeon Pro 5500M", 8 * GIB, False)]),
        ({"SPDisplaysDataType": []}, 16 * GIB, []),
        ({"SPDisplaysDataType": None}, 16 * GIB, []),
        ([], 16 * GIB, []),
    ],
)
def test_system_profiler(tree: Any, ram: int, found: list[tuple[str, int, bool]]) -> None:
    read = gpus.parse_system_profiler(json.dumps(tree), ram)
    assert [(gpu.name, gpu.total_bytes, gpu.is_shared) for gpu in read] == found


SERVER_CPU = """\
processor\t: 0
vendor_id\t: GenuineIntel
model\t\t: 85
model name\t: Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz
flags\t\t: fpu sse sse2 avx f16c fma avx2 avx512f avx512_vnni

processor\t: 1
model name\t: another
"""
BOARD_CPU = """\
processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid asimdrdm lrcpc dcpop asimddp
CPU architecture: 8

Hardware\t: BCM2835
Model\t\t: Raspberry Pi 5 Model B Rev 1.0
"""
M1_SYSCTL = """\
machdep.cpu.cores_per_package: 8
machdep.cpu.brand_string: Apple M1
hw.optional.arm.FEAT_DotProd: 1
hw.optional.arm.FEAT_I8MM: 0
hw.optional.neon: 1
"""
INTEL_SYSCTL = """\
machdep.cpu.brand_string: Intel(R) Core(TM) i7-8750H CPU @ 2.20GHz
hw.optional.avx1_0: 1
hw.optional.avx2_0: 1
hw.optional.avx512f: 0
"""


@pytest.mark.parametrize(
    ("text", "name", "features"),
    [
        (
            SERVER_CPU,
            "Intel Xeon Gold 6248 CPU @ 2.50GHz",
            ("AVX", "F16C", "FMA", "AVX2", "AVX-512", "AVX-512 VNNI"),
        ),
        (BOARD_CPU, "Raspberry Pi 5 Model B Rev 1.0", ("NEON", "DotProd")),
        ("", "", ()),
    ],
)
def test_cpuinfo(text: str, name: str, features: tuple[str, ...]) -> None:
    assert hardware.parse_cpuinfo(text) == (name, features)


@pytest.mark.parametrize(
    ("text", "name", "features"),
    [
        (M1_SYSCTL, "Apple M1", ("NEON", "DotProd")),
        (INTEL_SYSCTL, "Intel Core i7-8750H CPU @ 2.20GHz", ("AVX", "AVX2")),
        ("", "", ()),
    ],
)
def test_sysctl(text: str, name: str, features: tuple[str, ...]) -> None:
    assert hardware.parse_sysctl(text) == (name, features)
    assert hardware.find_cpu(lambda _: text, "darwin").features == features


def test_memory_that_nobody_tells_of_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(gpus, "from_nvml", list)
    monkeypatch.setattr(gpus, "_DRM", Path("/none"))
    (gpu,) = gpus.find_gpus(lambda _: "NVIDIA GB10, [N/A], [N/A]\n", 128 * GIB)
    assert (gpu.total_bytes, gpu.is_shared, gpu.runs_models) == (128 * GIB, True, True)


def test_this_machine_is_described() -> None:
    found = hardware.probe()
    assert found.cpu.name
    assert found.cpu.logical_cores >= 1
    assert 0 < found.ram_free_bytes <= found.ram_bytes


@pytest.mark.parametrize("total", [0, 512 * MIB])
def test_a_gpu_that_only_draws_windows_is_not_one_for_models(total: int) -> None:
    cpu = hardware.Cpu("", 1, 1, ())
    small = Gpu("amd", "small", total, None, "sysfs")
    assert hardware.Hardware(cpu, GIB, GIB, (small,)).gpu is None
    large = Gpu("nvidia", "large", 8 * GIB, None, "nvml")
    assert hardware.Hardware(cpu, GIB, GIB, (large, small)).gpu == large


@pytest.fixture
def program(tmp_path: Path) -> Path:
    if os.name != "posix":
        pytest.skip("a program is made of a shell script here")
    path = tmp_path / "bin" / "tell"
    path.parent.mkdir()
    path.write_text('#!/bin/sh\ncase "$1" in fail) exit 3;; hang) exec sleep 30;; esac\npwd\n')
    path.chmod(0o755)
    return path


def test_a_program_is_found_in_whole_paths_alone(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(program.parent)
    for path, found in (
        (str(program.parent), program),
        (f"/none:{program.parent}", program),
        ("", None),
        (".", None),
        (":", None),
        ("../bin", None),
    ):
        assert programs.find_program("tell", {"PATH": path}) == found
    assert programs.find_program("other", {"PATH": str(program.parent)}) is None


def test_what_a_program_prints_or_nothing(program: Path) -> None:
    # It does not run in the current directory, which may be anybody's workspace.
    assert programs.run_program([str(program)]) == f"{program.parent.resolve()}\n"
    assert programs.run_program([str(program), "fail"]) is None
    assert programs.run_program([str(program), "hang"], timeout_s=0.1) is None
    assert programs.run_program([str(program.with_name("none"))]) is None
