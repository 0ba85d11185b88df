"""What Numba keeps of the kernel is made anew when any of the kernel's files changes."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit

from solver.search.kernel import compilation

OURS = "from {package}.compilation import compiled"
NUMBAS = "from numba import njit\ncompiled = njit(cache=True)"


def write_package(directory: Path, how: str, inner: int) -> None:
    """Write a package of a compiled function that calls one of another file, which returns a number."""
    directory.mkdir(exist_ok=True)
    head = how.format(package=directory.name)
    shutil.copy(compilation.__file__, directory / "compilation.py")
    (directory / "__init__.py").touch()
    (directory / "inner.py").write_text(f"{head}\n@compiled\ndef inner():\n    return {inner}\n")
    call = f"from {directory.name}.inner import inner"
    (directory / "outer.py").write_text(f"{head}\n{call}\n@compiled\ndef outer():\n    return inner()\n")


def run(directory: Path) -> int:
    """Return what the package's outer function returns in a process of its own."""
    path = os.pathsep.join([str(directory.parent), *(entry for entry in sys.path if entry)])
    command = [sys.executable, "-c", f"from {directory.name}.outer import outer; print(outer())"]
    kept = os.environ | {"PYTHONPATH": path, "NUMBA_CACHE_DIR": str(directory / "kept")}
    return int(subprocess.run(command, env=kept, capture_output=True, check=True, timeout=120).stdout)


@pytest.mark.parametrize(
    ("how", "after"), [pytest.param(OURS, 2, id="kernel"), pytest.param(NUMBAS, 1, id="numba alone runs what was kept")]
)
def test_a_change_of_another_file_is_compiled(tmp_path: Path, how: str, after: int) -> None:
    directory = tmp_path / "made"
    write_package(directory, how, 1)
    assert run(directory) == 1
    assert list((directory / "kept").rglob("outer.outer-*.nbi")), "nothing is kept"
    write_package(directory, how, 2)
    assert run(directory) == after


@pytest.mark.parametrize(
    ("compiled", "count"),
    [pytest.param(compilation.compiled, 1, id="kernel"), pytest.param(njit, 2, id="numba alone does so for each size")],
)
def test_a_function_is_compiled_once_for_whole_numbers_of_every_size(compiled: Callable[..., Any], count: int) -> None:
    function = compiled(lambda number: number + 1)
    assert (function(1), function(np.int32(2)), function(True)) == (2, 3, 2)
    assert len([types for types in function.signatures if "int" in str(types)]) == count


def test_only_one_process_compiles_into_a_directory(tmp_path: Path) -> None:
    with compilation.one_process_at_a_time(tmp_path / "kept"):
        other = os.open(tmp_path / "kept", os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)
