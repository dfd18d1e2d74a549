"""What a process and its children cost: CPU seconds and memory."""

from __future__ import annotations

import math
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["cpu_s", "limit_cpu", "peak_mb", "watched"]

PROC = Path("/proc")
EVERY_S = 0.2


def cpu_s() -> float:
    """Return the CPU seconds of this process and of the children it waited for."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def limit_cpu(seconds: float) -> None:
    """Let the system stop this process (SIGXCPU) when it has used so much more CPU time."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(own.ru_utime + own.ru_stime + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def peak_mb(pid: int | str = "self") -> float:
    """Return the most memory that a process ever had, 0 if it is gone.

    ``ru_maxrss`` will not do on Linux: it counts the parent's memory at the time of the fork.
    """
    try:
        lines = (PROC / str(pid) / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return max(
        (int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), default=0
    )


@contextmanager
def watched() -> Iterator[dict[int, float]]:
    """Watch the children of this process; yields the peak of each, filled while they live."""
    peaks: dict[int, float] = {}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(EVERY_S):
            for pid in _children():
                peaks[pid] = max(peaks.get(pid, 0.0), peak_mb(pid))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        done.set()
        thread.join()


def _children() -> list[int]:
    found = []
    for path in PROC.glob("[0-9]*/stat"):
        try:
            # After the name, which stands in parentheses: state, parent.
            parent = path.read_text(encoding="utf-8").rpartition(")")[2].split()[1]
        except OSError:
            continue
        if int(parent) == os.getpid():
            found.append(int(path.parent.name))
    return found
