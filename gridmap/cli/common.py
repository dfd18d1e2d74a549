"""What the commands share: their options, and how they read, draw and tell."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from gridmap import messages
from gridmap.cli import console
from gridmap.cli.usage import UsageMistakeError
from gridmap.messages import Lang

# Everything heavy is imported where it is used, so that --help answers at once.
if TYPE_CHECKING:
    from gridmap.cli.console import Tell
    from gridmap.config import CityFile
    from gridmap.locks import Holder
    from gridmap.model import City
    from gridmap.result import Analysed

__all__ = [
    "EVERYTHING",
    "AsJson",
    "BasemapName",
    "CityPath",
    "LangName",
    "OutPath",
    "Unmask",
    "Wanted",
    "analysed_city",
    "drawn_maps",
    "help_of",
    "language",
    "moment_of",
    "opened",
    "show_summary",
    "steps_of",
    "tell_files",
    "tell_notes",
    "tell_waiting",
    "with_basemap",
    "writing",
]


_NAMED = 5  # files that one line names


def help_of(name: str) -> str:
    """Return the help text of a command or option in the language of the terminal."""
    return messages.text(f"cli.{name}", messages.default_language())


CityPath = Annotated[Path, typer.Argument(help=help_of("city"), metavar="CITY")]
OutPath = Annotated[Path, typer.Option("--out", "-o", help=help_of("out"))]
LangName = Annotated[str, typer.Option("--lang", help=help_of("lang"))]
BasemapName = Annotated[str, typer.Option("--basemap", help=help_of("basemap"))]


def _show_numbers(asked: bool) -> bool:
    """Let phones and the like leave in full, for the rest of the command."""
    from gridmap.leaving import show_numbers

    show_numbers(asked)
    return asked


# Every command that tells or writes of a city has it, and none has to hand it on.
Unmask = Annotated[bool, typer.Option("--unmask", help=help_of("unmask"), callback=_show_numbers)]
AsJson = Annotated[bool, typer.Option("--json", help=help_of("json"))]


def language(asked: str, of_city: str) -> Lang:
    """Return the language asked for, else that of the city, else that of the terminal."""
    for choice in (asked, of_city):
        if choice and choice not in messages.TAGS:
            known = ", ".join(messages.TAGS)
            raise UsageMistakeError("usage.one_of", name="--lang", value=choice, known=known)
        for lang in messages.LANGUAGES:
            if choice and messages.TAGS[lang] == messages.TAGS[choice]:
                return lang
    return messages.default_language()


def opened(city: Path, lang: str) -> tuple[CityFile, Lang]:
    """Return the city file and the language to speak."""
    from gridmap.config import read_city_file

    if not city.exists():
        _prove_order(city)
    city_file = read_city_file(city)
    return city_file, language(lang, city_file.lang)


def _prove_order(city: Path) -> None:
    """Tell it where the city file stands on the command line, but in another place."""
    typed = pairwise(sys.argv[1:])
    # What stands after an option is its value.
    others = [
        Path(each)
        for before, each in typed
        if not before.startswith("-") and not each.startswith("-")
    ]
    given = next((each for each in others if each != city and _is_city(each)), None)
    if given is not None:
        raise UsageMistakeError("usage.order", city=given, found=city, command=sys.argv[1])


def _is_city(path: Path) -> bool:
    return (path / "city.toml").is_file() or (path.suffix == ".toml" and path.is_file())


@dataclass(frozen=True)
class Wanted:
    """What a command asks of a city: results that it must have, and those that it may.

    Without names, everything. ``whole`` reads every input, whether or not a result needs it.
    """

    want: tuple[str, ...] | None = None
    also: tuple[str, ...] = ()
    whole: bool = False

    @property
    def names(self) -> tuple[str, ...] | None:
        """All of them, or None for everything."""
        return None if self.want is None else (*self.want, *self.also)


EVERYTHING = Wanted()


def moment_of(text: str, timezone: str) -> dt.datetime:
    """Return a moment that an option names: ``now``, or a time, the city's where it has no offset.

    Raises
    ------
    ConformError
        If it is none.
    """
    from gridmap.errors import ConformError

    if text == "now":
        return dt.datetime.now(ZoneInfo(timezone))
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ConformError("who.at", at=text) from None
    return moment.replace(tzinfo=ZoneInfo(timezone)) if moment.tzinfo is None else moment


def steps_of(city_file: CityFile, wanted: Wanted = EVERYTHING) -> int:
    """Return how many steps the reading and the analysis of a city take."""
    from gridmap.measures.analyse import inputs_of, steps_of
    from gridmap.sources.city import inputs_to_read

    layers = None if wanted.whole else inputs_of(wanted.names, city_file.analysis)
    return len(inputs_to_read(city_file, layers)) + steps_of(wanted.names)


def analysed_city(
    city_file: CityFile, tell: Tell, lang: Lang, wanted: Wanted = EVERYTHING
) -> Analysed:
    """Read what is needed of a city, and compute what is wanted."""
    from gridmap.measures.analyse import analyse, inputs_of
    from gridmap.sources import read_city

    city = read_city(
        city_file,
        layers=None if wanted.whole else inputs_of(wanted.names, city_file.analysis),
        progress=lambda name: tell("read", name=name),
    )

    tell_notes(city, lang)

    def begun(result: str) -> None:
        known = city.catalog.layers
        title = known[result].title if result in known else None
        tell("measure", name=result if title is None else title.get(lang))

    return analyse(city, city_file.analysis, want=wanted.want, also=wanted.also, progress=begun)


def tell_notes(city: City, lang: Lang) -> None:
    """Tell on standard error what was guessed or changed while the inputs were read."""
    from gridmap.outputs import note_rows

    for source, note in note_rows(city, lang):
        console.say(messages.text("cli.note", lang, path=source, note=note), err=True)


def with_basemap(city_file: CityFile, asked: str) -> CityFile:
    """Return the city with the base map that an option asks for: a service, or a path of tiles."""
    if not asked:
        return city_file
    from gridmap.catalog import Basemap

    usual = city_file.basemap
    if asked in ("osm", "tianditu", "amap"):
        changed = usual.model_copy(update={"service": asked, "path": ""})
    elif asked == "none":
        changed = Basemap(backdrop=usual.backdrop)
    else:
        path = str(Path(asked).resolve())
        attribution = usual.attribution or Path(asked).name
        changed = usual.model_copy(update={"service": "", "path": path, "attribution": attribution})
    return city_file.model_copy(update={"basemap": changed})


def drawn_maps(
    analysed: Analysed,
    names: list[str],
    lang: Lang,
    tell: Tell,
    *,
    city_file: CityFile | None = None,
    strict: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Draw maps; one that lacks its layers is skipped and told, or an error if it is strict."""
    from gridmap.errors import OutputError
    from gridmap.outputs import draw

    drawn, skipped = {}, []
    for name in names:
        tell("map", name=name)
        try:
            drawn[name] = draw(
                analysed, analysed.city.catalog.map(name), lang=lang,
                basemap=city_file.basemap if city_file else None,
                folder=city_file.folder if city_file else None,
            )  # fmt: skip
        except OutputError as error:
            if strict or error.key != "map.nothing":
                raise
            skipped.append(error.text(lang))
    return drawn, skipped


def tell_files(
    folder: Path, made: list[str], skipped: list[str], lang: Lang, as_json: bool
) -> None:
    """Tell what was written, and what was left out and why."""
    if as_json:
        said = {"out": str(folder), "files": made, "skipped": skipped}
        console.say_json(said)
        return
    console.say(messages.text("cli.written", lang, path=folder))
    for name in made:
        console.say(f"  {name}")
    for reason in skipped:
        console.say(messages.text("cli.skipped", lang, message=reason))


@contextmanager
def writing(
    folder: Path,
    lang: Lang,
    *,
    job: str = "",
    asked: Collection[str] = (),
    saved: Collection[str] = (),
    guard: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Iterator[Path]:
    """Give a place for new files, as `gridmap.outputs.staged`; tell what was kept of the old."""
    from gridmap.outputs import staged

    _prove_name(folder)
    kept: list[str] = []
    with staged(
        folder,
        job=job,
        asked=asked,
        saved=saved,
        kept=kept,
        waiting=tell_waiting(lang),
        guard=guard,
    ) as stage:
        yield stage
    if kept:
        names = ", ".join(kept[:_NAMED]) + (" ..." if len(kept) > _NAMED else "")
        said = messages.text("cli.kept", lang, count=len(kept), folder=folder, names=names)
        console.say(said, err=True)


def _prove_name(folder: Path) -> None:
    """Refuse what no line can show, and what no folder of Windows may be called.

    Raises
    ------
    OutputError
        Before anything is made.
    """
    from gridmap.errors import OutputError
    from gridmap.records import DEVICES

    if not str(folder).isprintable():
        raise OutputError("output.unprintable", path=folder)
    if folder.name.partition(".")[0].lower() in DEVICES:
        raise OutputError("output.reserved", path=folder, name=folder.name)


def tell_waiting(lang: Lang) -> Callable[[Path, Holder], None]:
    """Return what tells that somebody else is writing to a place."""

    def tell(path: Path, holder: Holder) -> None:
        console.say(messages.text("cli.waiting", lang, path=path, holder=holder), err=True)

    return tell


def show_summary(analysed: Analysed, lang: Lang) -> None:
    """Print the figures, and what became of the rows of each input."""
    from gridmap.outputs import receipt_rows, summary_rows
    from gridmap.sources.mended import FOLDER

    title = messages.text("report.title", lang, city=analysed.city.title.get(lang))
    heads = [messages.text(f"report.{key}", lang) for key in ("figure", "value")]
    console.print_table(heads, list(summary_rows(analysed, lang)), title=title, numbers=1)
    if not analysed.city.receipts:
        return
    heads, rows = receipt_rows(analysed, lang)
    said = [[row[0], Path(row[1]).name, *(f"{number:,}" for number in row[2:])] for row in rows]
    console.print_table(heads, said, numbers=4)
    for name in ("mended", "stale"):
        count = sum(getattr(receipt, name) for receipt in analysed.city.receipts)
        if count:
            console.say(messages.text(f"cli.{name}", lang, count=f"{count:,}", folder=FOLDER))
