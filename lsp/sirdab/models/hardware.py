"""What this machine has to run a model on: its processor, its memory and its graphics processors.

Each source of facts is a function of its own that returns nothing where there is nothing to find,
so that a machine with half a driver is described as far as it goes. No source is waited for longer
than a few seconds.
"""

import os
import platform
import re
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sirdab.models.gpus import Gpu, find_gpus
from sirdab.models.programs import Run, run_program

_CPUINFO = Path("/proc/cpuinfo")

# What the kernels of llama.cpp are chosen by, weakest first: the names of /proc/cpuinfo (Linux,
# arch/x86/include/asm/cpufeatures.h and arch/arm64/kernel/cpuinfo.c) and of `sysctl hw.optional`
# (Apple, "Determining Instruction Set Characteristics").
_LINUX_FEATURES: Mapping[str, str] = {
    "avx": "AVX",
    "f16c": "F16C",
    "fma": "FMA",
    "avx2": "AVX2",
    "avx_vnni": "AVX-VNNI",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "amx_int8": "AMX",
    "neon": "NEON",
    "asimd": "NEON",
    "asimddp": "DotProd",
    "i8mm": "I8MM",
    "sve": "SVE",
}
_APPLE_FEATURES: Mapping[str, str] = {
    "hw.optional.avx1_0": "AVX",
    "hw.optional.f16c": "F16C",
    "hw.optional.fma": "FMA",
    "hw.optional.avx2_0": "AVX2",
    "hw.optional.avx512f": "AVX-512",
    "hw.optional.neon": "NEON",
    "hw.optional.arm.AdvSIMD": "NEON",
    "hw.optional.arm.FEAT_DotProd": "DotProd",
    "hw.optional.arm.FEAT_I8MM": "I8MM",
}
# PF_* of winnt.h, as `IsProcessorFeaturePresent` takes them.
_WINDOWS_FEATURES: Mapping[int, str] = {
    39: "AVX",
    40: "AVX2",
    41: "AVX-512",
    19: "NEON",
    43: "DotProd",
}


@dataclass(frozen=True, slots=True)
class Cpu:
    """A processor.

    Attributes:
        name: Its name; "" when it does not tell.
        physical_cores: How many cores there are; 0 when not known.
        logical_cores: How many threads run at once; 0 when not known.
        features: Extensions that models are computed with, for example ("AVX2", "AVX-512").
    """

    name: str
    physical_cores: int
    logical_cores: int
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a model can be run on.

    Attributes:
        cpu: The processor.
        ram_bytes: Memory of the machine.
        ram_free_bytes: What of it a new program could have.
        gpus: The graphics processors, the one with most memory first.
    """

    cpu: Cpu
    ram_bytes: int
    ram_free_bytes: int
    gpus: tuple[Gpu, ...]

    @property
    def gpu(self) -> Gpu | None:
        """The graphics processor that a model would run on; None where there is none."""
        return next((gpu for gpu in self.gpus if gpu.runs_models), None)


def probe(run: Run = run_program) -> Hardware:
    """Return what this machine has.

    Takes up to a few seconds where a driver is slow to answer; never raises.

    Args:
        run: Runs the programs that are asked.
    """
    import psutil

    memory = psutil.virtual_memory()
    with ThreadPoolExecutor(2) as pool:
        gpus = pool.submit(find_gpus, run, memory.total)
        cpu = pool.submit(find_cpu, run)
    return Hardware(cpu.result(), memory.total, memory.available, gpus.result())


def find_cpu(run: Run = run_program, system: str = sys.platform) -> Cpu:
    """Return the processor."""
    import psutil

    name, features = _SOURCES.get(system, _unknown)(run)
    return Cpu(
        name or _tidy(platform.processor()) or platform.machine(),
        psutil.cpu_count(logical=False) or 0,
        os.cpu_count() or 0,
        features,
    )


def parse_cpuinfo(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the name and the features that Linux' /proc/cpuinfo tells of the first core."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            # ARM writes "Features", and single-board machines their "Model" at the end.
            fields.setdefault(key.strip().lower(), value.strip())
    name = fields.get("model name") or fields.get("cpu model") or fields.get("model", "")
    flags = (fields.get("flags") or fields.get("features", "")).split()
    return _tidy("" if name.isdecimal() else name), _named(_LINUX_FEATURES, flags)


def parse_sysctl(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the name and the features that Apple's `sysctl machdep.cpu hw.optional` prints."""
    values = dict(re.findall(r"^([\w.]+): (.*)$", text, re.MULTILINE))
    present = [key for key, value in values.items() if value.strip() == "1"]
    return _tidy(values.get("machdep.cpu.brand_string", "")), _named(_APPLE_FEATURES, present)


def _linux(_run: Run) -> tuple[str, tuple[str, ...]]:
    try:
        return parse_cpuinfo(_CPUINFO.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return "", ()


def _apple(run: Run) -> tuple[str, tuple[str, ...]]:
    return parse_sysctl(run(("sysctl", "machdep.cpu", "hw.optional")) or "")


def _windows(_run: Run) -> tuple[str, tuple[str, ...]]:
    if sys.platform != "win32":
        return "", ()
    import ctypes
    import winreg

    present = ctypes.windll.kernel32.IsProcessorFeaturePresent
    features = tuple(name for number, name in _WINDOWS_FEATURES.items() if present(number))
    try:
        place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
            return _tidy(str(winreg.QueryValueEx(key, "ProcessorNameString")[0])), features
    except OSError:
        return "", features


def _unknown(_run: Run) -> tuple[str, tuple[str, ...]]:
    return "", ()


_SOURCES: Mapping[str, Callable[[Run], tuple[str, tuple[str, ...]]]] = {
    "linux": _linux,
    "darwin": _apple,
    "win32": _windows,
}


def _named(known: Mapping[str, str], present: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for flag, name in known.items() if flag in present))


def _tidy(name: str) -> str:
    return " ".join(re.sub(r"\((?:R|TM|C)\)", "", name, flags=re.IGNORECASE).split())
