"""Compilation of the kernel by Numba, kept on disk until one of the kernel's files changes.

By itself Numba looks only at the file that a function is in. A function that calls into another file would stay as it was
compiled when that one changed, with what it called then (Numba's documentation, *Notes on Caching*). So the stamp of what is
kept is made of all the kernel's files. Where it is kept is as Numba has it: ``NUMBA_CACHE_DIR``, beside the package, or the
user's cache directory.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from numba import config, njit, types
from numba.core.caching import InTreeCacheLocator, UserProvidedCacheLocator, UserWideCacheLocator
from numba.core.dispatcher import Dispatcher
from numba.core.sigutils import normalize_signature

Function = TypeVar("Function", bound=Callable[..., Any])


SOURCES = sorted(Path(__file__).parent.glob("*.py"))
"""The kernel's files."""

SIGNED = (types.int8, types.int16, types.int32, types.int64)
"""Whole numbers that a function is compiled for once."""


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


def inlined(function: Function) -> Dispatcher[Function]:
    """Compile a small function of the kernel into whatever calls it.

    A call costs as much as what the innermost functions do: with them inlined a week has 69,000 ruins in a second of a core,
    else 47,000.
    """
    return compiled(function, is_inlined=True)


def compiled(function: Function, is_inlined: bool = False) -> Dispatcher[Function]:
    """Compile a function of the kernel on its first call, or load it as it was compiled before.

    It is compiled once for whole numbers of every size: Numba would do so again for each mixture of constants, 32 and 64 bits
    that it is called with, and take nearly twice the time.
    """
    given, config.CACHE_LOCATOR_CLASSES = config.CACHE_LOCATOR_CLASSES, LOCATORS  # type: ignore[attr-defined]
    try:
        dispatcher = njit(cache=True, nogil=True, forceinline=is_inlined)(function)
    finally:
        config.CACHE_LOCATOR_CLASSES = given  # type: ignore[attr-defined]
    compile_as_given = dispatcher.compile

    def compile_widened(signature: Any) -> Any:
        arguments, _ = normalize_signature(signature)  # type: ignore[no-untyped-call]
        return compile_as_given(tuple(map(widen, arguments)))

    dispatcher.compile = compile_widened  # type: ignore[assignment]
    return dispatcher


def widen(argument: Any) -> Any:
    """Return the type that a function takes for an argument's: 64 bits for any whole number with a sign, no constants."""
    argument = types.unliteral(argument)  # type: ignore[no-untyped-call]
    return types.int64 if argument in SIGNED else argument


@contextmanager
def one_process_at_a_time(directory: Path) -> Iterator[None]:
    """Let other processes wait that would compile into the same directory: they find what the first one kept there."""
    if sys.platform == "win32":  # no such lock; each compiles for itself
        yield
        return
    import fcntl

    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
