"""Where people report and where they do not: rates of reporting, and the need behind them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.optimize
import scipy.special
import scipy.stats

from gridmap.analysis._doors import asks
from gridmap.analysis._values import finite, not_negative, rows_of, whole
from gridmap.errors import ConformError
from gridmap.summaries import Summarised

__all__ = ["Reporting", "reporting_rates", "true_need"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

_ROUNDS = 50
_TURNS = 20
_STEPS = 60  # of shapes
_UNLIKELY = 1e-4
_HALVINGS = 40
_MIDDLES = 24  # of the gamma distribution, each with as much of it
_CLOSE = 1e-8
# Of the shape of the distribution of rates over areas: all alike, or a hundredfold apart.
_SHAPES = (0.05, 1e4)
_LEAST = 1e-9


@dataclass(frozen=True, repr=False)
class Reporting(Summarised):
    """How readily the residents of areas report.

    Parameters
    ----------
    areas : DataFrame, on the codes of the areas
        ``events``, ``repeats`` and ``days`` (watched) as observed; ``coincident`` (repeats that
        are none by expectation); ``expected`` (repeats, if residents reported here as they do in
        the whole city); ``ratio`` of the rate of reporting to that of the city, with ``low`` and
        ``high``; ``spread`` (how much more repeats vary than Poisson numbers).
    categories : DataFrame, on the categories
        ``rate``: reports a day of an event that is there for all to see, in the whole city, of
        those that were found; ``repeats``, on which it rests.
    shapes : Series
        How likely each shape of the gamma distribution of ratios is, by shape: the higher, the
        more alike areas are.
    visibility : float
        How alike the events of a kind and an area are: the shape of the gamma distribution of
        the rates at which those that were found are reported. Infinite if they are all alike.
    """

    headline: ClassVar[tuple[str, ...]] = ("areas", "categories", "visibility")

    areas: pd.DataFrame
    categories: pd.DataFrame
    shapes: pd.Series
    visibility: float


@asks(
    alike=("repeats", "days", "areas", "categories", "coincident"),
    within={"confidence": (0.0, 1.0)},
)
def reporting_rates(
    repeats: pd.Series,
    days: pd.Series,
    areas: pd.Series,
    categories: pd.Series,
    codes: pd.Index | pd.Series,
    *,
    coincident: pd.Series | None = None,
    confidence: float = 0.9,
) -> Reporting:
    """Estimate how readily residents report, from repeated reports of one and the same event.

    How often something is reported depends on how often it happens and on how readily it is
    reported, and numbers of reports cannot tell one from the other. But once something has been
    reported, it is there: how soon it is reported again depends on people alone.

    Parameters
    ----------
    repeats : Series of int, shape (n,)
        Of each event, how often it was reported after its first report.
    days : Series of float, shape (n,), on its index
        How long it was there after its first report.
    areas : Series, shape (n,), on its index
        The area of each event; missing for none.
    categories : Series, shape (n,), on its index
        Some kinds are reported more readily than others everywhere; an area is compared with the
        city by its own mixture of them.
    codes : Index or Series, length m
        All areas.
    coincident : Series of float, shape (n,), optional
        Of each event, how many of its repeats have nothing to do with it by expectation, such as
        those that lay there before in as long a time.
    confidence : float
        Of the intervals.

    Returns
    -------
    Reporting

    Raises
    ------
    ConformError
        If a number is missing or below zero, or nothing was ever reported twice.

    Notes
    -----
    The repeats of an event are Poisson with the mean r_a f_c t, with the time t that it was there,
    the rate f_c of its category and the ratio r_a of its area. Ratios are gamma distributed over
    the city with mean 1, so that an area with few events is drawn towards the city (empirical
    Bayes); the shape is the one that makes all repeats likeliest. Some events are in everybody's
    way and others behind a house: the rates of events of one kind and area are gamma distributed,
    too, by which repeats are negative binomial and intervals wider.

    References
    ----------
    Liu, Bhandaram and Garg (2024), Nature Computational Science 4 (arXiv 2204.08620), for the
    idea; Clayton and Kaldor (1987), Biometrics 43(3), for the gamma distribution of rates;
    Lawless (1987), Canadian Journal of Statistics 15(3), for negative binomial regression.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> areas = pd.Series(np.repeat(["east", "west"], 500))
    >>> days = pd.Series(rng.exponential(10.0, 1000))
    >>> rate = areas.map({"east": 0.06, "west": 0.02})
    >>> repeats = pd.Series(rng.poisson(rate * days))
    >>> kinds = pd.Series("litter", areas.index)
    >>> found = analysis.reporting_rates(repeats, days, areas, kinds, pd.Index(["east", "west"]))
    >>> found.areas[["ratio", "low", "high"]].round(2)
          ratio   low  high
    east   1.50  1.35  1.66
    west   0.45  0.36  0.54
    """
    counts, watched = finite(repeats, "repeats"), finite(days, "days")
    not_negative(counts, repeats.index, "repeats")
    whole(counts, repeats.index, "repeats")
    not_negative(watched, days.index, "days")
    beside = np.zeros(len(counts)) if coincident is None else finite(coincident, "coincident")
    not_negative(beside, repeats.index, "coincident")
    places = pd.Index(codes)
    if not places.is_unique:
        twice = rows_of(places[places.duplicated()])
        raise ConformError("clock.repeated", table="codes", rows=twice)
    area = places.get_indexer(pd.Index(areas))
    kind, kinds = pd.factorize(categories.astype("string"), sort=True)
    used = (area >= 0) & (kind >= 0)
    area, kind, beside = area[used], kind[used], beside[used]
    counts, watched = counts[used], watched[used]
    if counts.sum() <= 0.0 or watched.sum() <= 0.0:
        raise ConformError("conform.no_repeats")
    shape_of = (len(places), len(kinds))
    flat = area * len(kinds) + kind
    size = len(places) * len(kinds)
    time = np.bincount(flat, watched, size).reshape(shape_of).astype(np.float64)
    seen = np.bincount(flat, counts, size).reshape(shape_of).astype(np.float64)
    alien = np.bincount(flat, beside, size).reshape(shape_of).astype(np.float64)
    if alien.sum() >= seen.sum():
        raise ConformError("conform.no_repeats")
    # Each event's own part of what is there anyway.
    share = np.divide(alien, time, out=np.zeros(shape_of), where=time > 0.0)
    fitted = _fitted(seen, alien, time, (area, kind, counts, watched), share)
    ratio, rates, visibility, spread = fitted
    expected = time @ rates
    held, found = expected / spread, _own(seen, alien) / spread
    shapes = _shapes(found, held)
    tail = 0.5 * (1.0 - confidence)
    low, high = (_quantile(at, found, held, shapes) for at in (tail, 1.0 - tail))
    table = pd.DataFrame(
        {"events": np.bincount(area, minlength=len(places)),
         "repeats": seen.sum(axis=1).astype(np.int64), "coincident": alien.sum(axis=1),
         "days": time.sum(axis=1),
         "expected": expected, "ratio": ratio, "low": low, "high": high, "spread": spread},
        index=places,
    )  # fmt: skip
    by_kind = pd.DataFrame(
        {"rate": rates, "repeats": np.maximum((seen - alien).sum(axis=0), 0.0)},
        index=pd.Index(kinds),
    )
    return Reporting(table, by_kind, shapes, visibility)


def _own(seen: Floats, alien: Floats) -> Floats:
    """Return the repeats of areas that are repeats indeed."""
    own: Floats = np.maximum(seen.sum(axis=1) - alien.sum(axis=1), 0.0)
    return own


def _fitted(
    seen: Floats,
    alien: Floats,
    time: Floats,
    events: tuple[Longs, Longs, Floats, Floats],
    share: Floats,
) -> tuple[Floats, Floats, float, Floats]:
    """Return ratios, rates of categories, visibility, and how much more areas vary than Poisson."""
    area, kind, counts, watched = events
    ratio, visibility = np.ones(len(seen)), np.inf
    spread = np.ones(len(seen))
    kinds = np.maximum((seen - alien).sum(axis=0), 0.0)
    rates = kinds / np.maximum(time.sum(axis=0), _LEAST)
    found, whole_city = _own(seen, alien), float(seen.sum() - alien.sum())
    for _ in range(_ROUNDS):
        before = rates
        expected = time @ rates
        own = ratio[area] * rates[kind] * watched
        visibility = _visibility(counts, own + share[area, kind] * watched)
        whole = np.bincount(area, own, len(seen))
        more = np.bincount(area, own**2, len(seen)) / visibility
        # What is coincident is known from as many again, and taken off: both vary.
        more += 2.0 * alien.sum(axis=1)
        spread = 1.0 + np.divide(more, whole, out=np.zeros(len(seen)), where=whole > 0.0)
        shape = _shape(found / spread, expected / spread)
        ratio = (shape + found / spread) / (shape + expected / spread)
        # A kind that was never reported twice is drawn a little towards all others.
        mean = whole_city / time.sum()
        rates = (kinds + 0.5) / (ratio @ time + 0.5 / mean)
        # The mean of the city is that of what it reports: ratios say who differs from it.
        rates *= float(whole_city / max((time @ rates).sum(), _LEAST))
        if np.abs(rates - before).max() <= _CLOSE * rates.max():
            break
    return ratio, rates, visibility, spread


def _visibility(counts: Floats, mean: Floats) -> float:
    """Return the shape of negative binomial counts of known means; infinite for Poisson ones."""
    told = mean > 0.0
    seen, held = counts[told], mean[told]
    # Counts that do not vary more than Poisson ones have no shape.
    if ((seen - held) ** 2 - seen).sum() <= 0.0:
        return float(np.inf)
    # Many events have the same small count: their part is taken once.
    values, at = np.unique(seen, return_inverse=True)
    number = np.bincount(at).astype(np.float64)

    def unlikely(log_shape: float) -> float:
        shape = float(np.exp(log_shape))
        rising = number @ (scipy.special.gammaln(shape + values) - scipy.special.gammaln(shape))
        return -float(
            rising - ((shape + seen) * np.log1p(held / shape)).sum() - (seen.sum() * log_shape)
        )

    bounds = (float(np.log(_SHAPES[0])), float(np.log(_SHAPES[1])))
    best = float(scipy.optimize.minimize_scalar(unlikely, bounds=bounds, method="bounded").x)
    return float(np.exp(best)) if best < 0.99 * bounds[1] else float(np.inf)


def _likelihood(shape: Floats, found: Floats, expected: Floats) -> Floats:
    """Return how likely shapes are, as logarithms; of areas with anything expected."""
    told = expected > 0.0
    seen, held, shapes = found[told], expected[told], np.asarray(shape)[:, None]
    each = (
        scipy.special.gammaln(shapes + seen)
        - scipy.special.gammaln(shapes)
        + shapes * np.log(shapes / (shapes + held))
        + seen * np.log(held / (shapes + held))
    )
    whole: Floats = each.sum(axis=1)
    return whole


def _shape(found: Floats, expected: Floats) -> float:
    """Return the shape of the gamma distribution that makes what was found likeliest."""
    best = scipy.optimize.minimize_scalar(
        lambda log_shape: -float(_likelihood(np.exp([log_shape]), found, expected)[0]),
        bounds=(float(np.log(_SHAPES[0])), float(np.log(_SHAPES[1]))), method="bounded",
    )  # fmt: skip
    return float(np.exp(best.x))


def _shapes(found: Floats, expected: Floats) -> pd.Series:
    """Return how likely shapes are: few areas tell little of how alike all are."""
    shapes = np.geomspace(*_SHAPES, _STEPS)
    likely = _likelihood(shapes, found, expected)
    chance = np.exp(likely - likely.max())
    return pd.Series(chance / chance.sum(), index=pd.Index(shapes, name="shape"))


def _quantile(at: float, found: Floats, expected: Floats, shapes: pd.Series) -> Floats:
    """Return quantiles of ratios, over all shapes by how likely they are."""
    likely = shapes[shapes > _UNLIKELY]
    shape, weight = likely.index.to_numpy(), (likely / likely.sum()).to_numpy()
    inside = scipy.stats.gamma(shape + found[:, None], scale=1.0 / (shape + expected[:, None]))
    ends: Floats = np.asarray(inside.ppf(at))
    low, high = ends.min(axis=1), ends.max(axis=1)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        above = inside.cdf(middle[:, None]) @ weight > at
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    quantile: Floats = 0.5 * (low + high)
    return quantile


@asks(
    alike=("by_residents", "areas", "categories", "coincident"),
    within={"confidence": (0.0, 1.0), "draws": (100, np.inf)},
)
def true_need(
    reporting: Reporting,
    by_residents: pd.Series,
    areas: pd.Series,
    categories: pd.Series,
    *,
    lifetime_days: float | pd.Series,
    coincident: pd.Series | None = None,
    confidence: float = 0.9,
    draws: int = 1000,
    random_state: int = 0,
) -> pd.DataFrame:
    """Estimate how many events there were, also those that nobody reported.

    Parameters
    ----------
    reporting : Reporting
        Of `reporting_rates`.
    by_residents : Series of bool, shape (n,)
        Of each event, whether a resident found it; else somebody who is sent to look.
    areas : Series, shape (n,), on its index
    categories : Series, shape (n,), on its index
    lifetime_days : float or Series
        How long an event is there on average if nobody reports it; of each category, if a Series
        by category. Reports cannot tell it: what is gone before anybody reports it leaves no
        trace.
    coincident : Series of float, shape (n,), optional
        As of `reporting_rates`: what was taken for a repeat and is none is an event of its own.
    confidence : float
    draws, random_state : int
        Of the draws from what is known of rates, from which the intervals are.

    Returns
    -------
    DataFrame, on the codes of the areas
        ``found`` (events that anybody found), ``by_residents`` (how many of these they did),
        ``delay_days`` (mean time until a resident reports what is there), ``need`` (how many
        events there were, with ``need_low`` and ``need_high``), ``share_found``; the last are
        missing where nothing was found, for there nothing is known.

    Raises
    ------
    ConformError
        If a lifetime is not above zero, or a category has none.

    Notes
    -----
    An event ends when residents find it (at the rate that `reporting_rates` tells), when somebody
    who is sent finds it, or by itself. Those who are sent find events of each category at a rate,
    too, which is to the residents' as the numbers of events that each found first, with a ratio
    of each area that is gamma distributed. An event is found at all with
    the chance of both rates over all three, and the unfound ones are as many as it takes
    (negative binomial). What was found was easier to see than what was not: that is allowed for
    by how much the events that were found differ (`Reporting.visibility`).

    Examples
    --------
    >>> rng = np.random.default_rng(5)
    >>> areas = pd.Series(np.repeat(["east", "west"], [300, 150]))
    >>> days = pd.Series(rng.exponential(10.0, 450))
    >>> repeats = pd.Series(rng.poisson(areas.map({"east": 0.06, "west": 0.02}) * days))
    >>> kinds = pd.Series("litter", areas.index)
    >>> rates = analysis.reporting_rates(repeats, days, areas, kinds, pd.Index(["east", "west"]))
    >>> found = pd.Series(True, areas.index)
    >>> need = analysis.true_need(rates, found, areas, kinds, lifetime_days=30.0)
    >>> need[["found", "need", "delay_days"]].round()
          found   need  delay_days
    east    300  503.0        18.0
    west    150  361.0        37.0
    """
    places, kinds = reporting.areas.index, reporting.categories.index
    area = places.get_indexer(pd.Index(areas))
    kind = kinds.get_indexer(pd.Index(categories.astype("string")))
    used = (area >= 0) & (kind >= 0)
    residents = by_residents.to_numpy(dtype=bool)[used]
    beside = np.zeros(len(used)) if coincident is None else finite(coincident, "coincident")
    area, kind = area[used], kind[used]
    ends = _ends(lifetime_days, kinds)
    size, flat = len(places) * len(kinds), area * len(kinds) + kind
    counts = np.bincount(flat, minlength=size).reshape(len(places), -1)
    own = np.bincount(flat[residents], minlength=size).reshape(len(places), -1)
    alien = np.bincount(flat, beside[used], size).reshape(len(places), -1)
    found, table = counts.sum(axis=1), reporting.areas
    # Some of those reports are repeats of each other.
    events = table["events"] / (table["events"] + table["repeats"]).clip(lower=1)
    alien = alien * events.to_numpy()[:, None]
    rates = reporting.categories["rate"].to_numpy(dtype=np.float64)
    ratio = table["ratio"].to_numpy(dtype=np.float64)
    sent = _sent(counts - own, own, ratio, rates, ends, reporting.visibility)
    city = counts.sum(axis=0) / max(counts.sum(), 1)
    mix = np.where(found[:, None] > 0, counts / np.maximum(found, 1)[:, None], city)
    rng = np.random.default_rng(random_state)
    shape = rng.choice(reporting.shapes.index.to_numpy(), draws, p=reporting.shapes.to_numpy())
    # How well the rates of the city are known, by the repeats that they rest on.
    rests = reporting.categories["repeats"].to_numpy() / float(table["spread"].mean()) + 0.5
    known = rng.gamma(rests, 1.0 / rests, (draws, len(kinds)))
    repeats = (table["repeats"] - table["coincident"]).clip(lower=0.0).to_numpy()
    told = np.empty((len(places), 3))
    tail = 0.5 * (1.0 - confidence)
    for at in range(len(places)):
        spread = float(table["spread"].iloc[at])
        drawn = rng.gamma(
            shape + float(repeats[at]) / spread,
            1.0 / (shape + float(table["expected"].iloc[at]) / spread),
        )
        beside = sent.draw(rng, at, draws)
        unfound = np.zeros(draws)
        for each in np.flatnonzero(counts[at]):
            rate = drawn * rates[each] * known[:, each]
            chance = _chance(rate, beside * sent.rates[each], ends[each], reporting.visibility)
            unfound += rng.negative_binomial(counts[at, each] + alien[at, each] + 0.5, chance)
        need = found[at] + alien[at].sum() + unfound
        told[at] = (np.median(need), *np.quantile(need, [tail, 1.0 - tail]))
    # Of where nothing was found nothing is known.
    told[found == 0] = np.nan
    need, low, high = told.T
    with np.errstate(divide="ignore", invalid="ignore"):
        share_found, delay_days = found / need, 1.0 / (ratio * (mix @ rates))
    return pd.DataFrame(
        {"found": found, "by_residents": own.sum(axis=1), "delay_days": delay_days, "need": need,
         "need_low": low, "need_high": high, "share_found": share_found},
        index=places,
    )  # fmt: skip


@dataclass(frozen=True)
class _Sent:
    """At which rates those who are sent find what is there, of each category and area."""

    rates: Floats
    found: Floats
    expected: Floats
    shape: float
    own: Floats

    def draw(self, rng: np.random.Generator, at: int, draws: int) -> Floats:
        """Return draws of the ratio of an area to the city."""
        # The residents' events, beside whose number theirs is held, are a number of chance, too.
        beside = self.expected[at] * rng.gamma(
            self.own[at] + 0.5, 1.0 / (self.own[at] + 0.5), draws
        )
        ratio: Floats = rng.gamma(self.shape + self.found[at], 1.0 / (self.shape + beside))
        return ratio


def _sent(
    theirs: Longs, own: Longs, ratio: Floats, rates: Floats, ends: Floats, visibility: float
) -> _Sent:
    """Tell it from who was first: of events that both can find it is as their rates are."""
    by_kind = np.zeros(len(rates))
    if not theirs.any():
        none = np.zeros(len(ratio))
        return _Sent(by_kind, none, none, 1.0, none)
    for _ in range(_TURNS):
        # Events as they lie there, which are harder to see than those that were found.
        unseen = _unseen(rates, by_kind, ends, visibility)
        lying = own / np.maximum(ratio[:, None] * rates * unseen, _LEAST)
        by_kind = theirs.sum(axis=0) / np.maximum(lying.sum(axis=0), _LEAST)
    expected, found = lying @ by_kind, theirs.sum(axis=1).astype(np.float64)
    # Where residents found nothing, half an event stands for what they might have.
    mean = float(by_kind.mean() / max(float(rates.mean()), _LEAST))
    expected = np.where(expected > 0.0, expected, 0.5 * mean)
    return _Sent(by_kind, found, expected, _shape(found, expected), own.sum(axis=1).astype(float))


def _unseen(rates: Floats, sent: Floats, ends: Floats, visibility: float) -> Floats:
    """Return the mean rate of what lies there, over that of what was found."""
    if not np.isfinite(visibility):
        return np.ones(len(rates))
    shape, _ = _of_all(rates, sent, ends, visibility)
    rate = rates * shape / visibility
    # How long something lies goes by its rate to the power -u.
    power = rate / (rate + sent + ends)
    lying: Floats = np.maximum(shape - power, 0.1 * shape) / visibility
    return lying


def _of_all(
    found_rate: Floats, sent: Floats, end: Floats | float, visibility: float
) -> tuple[Floats, Floats]:
    """Return shape and mean of the rates of all events, from those that were found."""
    rate, shape = found_rate, np.full(len(found_rate), visibility)
    for _ in range(_TURNS):
        both = rate + sent
        power = end / (both + end) * rate / np.maximum(both, _LEAST)
        shape = np.maximum(visibility - power, _SHAPES[0])
        rate = found_rate * shape / visibility
    return shape, rate


def _chance(found_rate: Floats, sent: Floats, end: float, visibility: float) -> Floats:
    """Return the chance that an event is found at all before it ends by itself.

    Parameters
    ----------
    found_rate : ndarray of float, shape (k,)
        At which residents report the events that were found.
    sent : ndarray of float, shape (k,)
        At which those who are sent find them.
    end : float
        At which events end by themselves.
    visibility : float
        Of the events that were found.

    Notes
    -----
    Who is in everybody's way is found sooner, so that the events that were found are no fair
    sample: with the chance of being found going by rate to the power w about the mean, rates of
    all events are gamma distributed with a shape lower by w, and a mean lower in proportion.
    """
    both = found_rate + sent
    if not np.isfinite(visibility):
        alike: Floats = both / (both + end)
        return np.clip(alike, _LEAST, 1.0)
    shape, rate = _of_all(found_rate, sent, end, visibility)
    both = _gamma_middles(shape) * rate[:, None] + sent[:, None]
    chance: Floats = (both / (both + end)).mean(axis=1)
    return np.clip(chance, _LEAST, 1.0)


def _gamma_middles(shape: Floats) -> Floats:
    """Return middles of equal parts of gamma distributions with mean 1, shape (k, parts)."""
    shapes, table = _middles()
    place = np.interp(np.log(shape), np.log(shapes), np.arange(len(shapes)))
    low = np.minimum(place.astype(np.int64), len(shapes) - 2)
    part = (place - low)[:, None]
    found: Floats = (1.0 - part) * table[low] + part * table[low + 1]
    return found


@cache
def _middles() -> tuple[Floats, Floats]:
    shapes = np.geomspace(*_SHAPES, 200)
    at = (np.arange(_MIDDLES) + 0.5) / _MIDDLES
    found = scipy.stats.gamma.ppf(at, shapes[:, None]) / shapes[:, None]
    return shapes, found / found.mean(axis=1, keepdims=True)


def _ends(lifetime_days: float | pd.Series, kinds: pd.Index) -> Floats:
    """Return the rate at which events of each category end by themselves."""
    if isinstance(lifetime_days, pd.Series):
        asked = lifetime_days.reindex(kinds).to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        asked = np.full(len(kinds), float(lifetime_days))
    wrong = ~(asked > 0.0)
    if wrong.any():
        raise ConformError("conform.lifetime", categories=", ".join(map(str, kinds[wrong][:5])))
    ends: Floats = 1.0 / asked
    return ends
