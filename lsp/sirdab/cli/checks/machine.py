"""What this machine has to run a model on."""

from dataclasses import asdict

from sirdab.cli.checks.report import Check, Findings, ok, warning
from sirdab.models.gpus import Gpu
from sirdab.models.hardware import Hardware

_FAST = ("AVX2", "AVX-512", "NEON")


def describe(hardware: Hardware) -> Findings:
    """Return the rows on the hardware."""
    checks = [_cpu(hardware), _memory(hardware), *(_gpu(gpu) for gpu in hardware.gpus)]
    if not hardware.gpus:
        checks.append(ok("GPU", "none that models run on was found; the processor computes"))
    return Findings(tuple(checks), {"hardware": asdict(hardware)})


def gigabytes(count: int) -> str:
    """Return a size of memory in words, in units of 1,024, as memory is sold."""
    return f"{count / (1 << 30):.1f} GiB"


def _cpu(hardware: Hardware) -> Check:
    cpu = hardware.cpu
    cores = f"{cpu.physical_cores} cores" if cpu.physical_cores != 1 else "1 core"
    detail = f"{cpu.name}, {cores}, {', '.join(cpu.features) or 'extensions not known'}"
    if cpu.features and not set(_FAST) & set(cpu.features):
        return warning(
            "Processor", f"{detail}; without AVX2 a model is several times slower: use a small one."
        )
    return ok("Processor", detail)


def _memory(hardware: Hardware) -> Check:
    free, total = gigabytes(hardware.ram_free_bytes), gigabytes(hardware.ram_bytes)
    return ok("Memory", f"{free} free of {total}")


def _gpu(gpu: Gpu) -> Check:
    if gpu.is_shared:
        share = gigabytes(gpu.total_bytes)
        return ok("GPU", f"{gpu.name}, up to {share} of the machine's memory")
    if not gpu.total_bytes:
        return ok("GPU", f"{gpu.name}, memory not known ({gpu.source})")
    total = gigabytes(gpu.total_bytes)
    free = "" if gpu.free_bytes is None else f"{gigabytes(gpu.free_bytes)} free of "
    small = "" if gpu.runs_models else "; too little for a model with its context"
    return ok("GPU", f"{gpu.name}, {free}{total} ({gpu.source}){small}")
