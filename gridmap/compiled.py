"""How loops are compiled: once on a machine, then cached; the lock of the interpreter released."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from numba import njit

__all__ = ["inner", "kernel"]

Function = TypeVar("Function", bound=Callable[..., Any])


class _Compiler(Protocol):
    def __call__(self, function: Function, /) -> Function: ...


_compile: Any = njit

kernel: _Compiler = _compile(cache=True, nogil=True)

# Kernels that only kernels call: without wrappers for Python they compile in half the time.
inner: _Compiler = _compile(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
