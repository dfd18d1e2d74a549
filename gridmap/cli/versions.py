"""Changing a file that others may change too: what was read is compared before it is replaced."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridmap import messages
from gridmap.cli.common import tell_waiting
from gridmap.errors import ConformError, GridmapError
from gridmap.locks import locked, user_name
from gridmap.messages import Lang

if TYPE_CHECKING:
    from gridmap.design import Plan

__all__ = ["Steps", "Version", "signed", "steps_since"]


@dataclass(frozen=True)
class Version:
    """A file as it was when it was read.

    Parameters
    ----------
    path : pathlib.Path
        A symbolic link stands for what it leads to.
    digest : str
        Empty if there was no file.
    """

    path: Path
    digest: str

    @classmethod
    def of(cls, path: Path) -> Version:
        """Note a file before it is read, so that a change while it is read is noticed too."""
        from gridmap.digests import file_digest

        return cls(path, file_digest(path))

    @contextmanager
    def unchanged(self, lang: Lang, told: Callable[[], Steps] | None = None) -> Iterator[None]:
        """Hold the file and prove that nobody has changed it since.

        Parameters
        ----------
        lang : str
        told : callable, optional
            Returns what was done to it meanwhile.

        Raises
        ------
        ConformError
            If somebody has; nothing is then to be written.
        """
        from gridmap.digests import file_digest

        with locked(self.path.resolve(), waiting=tell_waiting(lang)):
            now = file_digest(self.path)
            if now != self.digest:
                if told is None or not now:
                    raise ConformError("edits.changed", path=self.path)
                raise ConformError("edits.changed_by", path=self.path, steps=told())
            yield


class Steps:
    """What was done to a plan, and by whom, as a part of a message."""

    def __init__(self, steps: Sequence[Mapping[str, Any]]) -> None:
        self.steps = steps

    def text(self, lang: str = "en") -> str:
        """Return it in a language."""
        if not self.steps:
            return messages.text("edits.step_unknown", lang)
        said = [
            messages.text(
                "edits.step",
                lang,
                what=messages.text(f"edits.did_{step['kind']}", lang),
                by=step.get("by") or "?",
                at=step.get("at") or "?",
            )
            for step in self.steps
        ]
        return messages.text("edits.and", lang).join(said)


def steps_since(plan: Plan, read: Callable[[], Plan]) -> Steps:
    """Return what was done to a plan since it was read; nothing where that cannot be told."""
    try:
        now = read()
    except GridmapError:  # it is no plan any more, which is told as a change of any kind
        return Steps(())
    same = 0
    for was, entry in zip(plan.log, now.log, strict=False):
        if was != entry:
            break
        same += 1
    done = list(now.log[same:])
    if not done and now.changed and now.changed != plan.changed:
        done.append(now.changed)
    return Steps(done)


def signed(plan: Plan, before: Plan) -> Plan:
    """Return a plan that says who made the steps that it has more than before, and when."""
    at = dt.datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    sign = {"by": user_name(), "at": at}
    known = len(before.log)
    log = [entry if k < known else {**entry, **sign} for k, entry in enumerate(plan.log)]
    kind = log[-1]["kind"] if len(log) > known else "undo" if len(log) < known else "import"
    return replace(plan, log=tuple(log), changed={"kind": kind, **sign})
