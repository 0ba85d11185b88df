"""Compilation of the kernel by Numba, kept on disk until one of the kernel's files changes.

By itself Numba looks only at the file that a function is in. A function that calls into another file would stay as it was
compiled when that one changed, with what it called then (Numba's documentation, *Notes on Caching*). So the stamp of what is
kept is made of all the kernel's files. Where it is kept is as Numba has it: ``NUMBA_CACHE_DIR``, beside the package, or the
user's cache directory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from numba import config, njit
from numba.core.caching import InTreeCacheLocator, UserProvidedCacheLocator, UserWideCacheLocator
from numba.core.dispatcher import Dispatcher

Function = TypeVar("Function", bound=Callable[..., Any])


SOURCES = sorted(Path(__file__).parent.glob("*.py"))
"""The kernel's files."""


def stamp(files: Iterable[Path]) -> str:
    """Return a digest of the names and texts of files."""
    digest = sha256()
    for file in files:
        digest.update(sha256(file.name.encode()).digest() + sha256(file.read_bytes()).digest())
    return digest.hexdigest()


STAMP = stamp(SOURCES)
"""What the kernel's files are now."""


class KernelStamp:
    """The stamp of what is kept: one for the whole kernel."""

    def get_source_stamp(self) -> str:
        """Return the stamp; what is kept under another one is compiled again."""
        return STAMP


class ProvidedDirectory(KernelStamp, UserProvidedCacheLocator):
    """The directory that ``NUMBA_CACHE_DIR`` names."""


class PackageDirectory(KernelStamp, InTreeCacheLocator):
    """The directory beside the package's modules."""


class UserDirectory(KernelStamp, UserWideCacheLocator):
    """The user's cache directory."""


LOCATORS = ",".join(f"{__name__}.{locator.__name__}" for locator in (ProvidedDirectory, PackageDirectory, UserDirectory))


def compiled(function: Function) -> Dispatcher[Function]:
    """Compile a function of the kernel on its first call, or load it as it was compiled before."""
    given, config.CACHE_LOCATOR_CLASSES = config.CACHE_LOCATOR_CLASSES, LOCATORS  # type: ignore[attr-defined]
    try:
        return njit(cache=True, nogil=True)(function)
    finally:
        config.CACHE_LOCATOR_CLASSES = given  # type: ignore[attr-defined]
