import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import messages
from gridmap.analysis.cases._states import life_table
from gridmap.analysis.cases.calendars import make_calendar
from gridmap.analysis.cases.deadlines import explain
from gridmap.analysis.cases.life import LEVELS, STAGES, CaseLife, case_life, case_life_of_times
from gridmap.errors import ConformError

ZONE = "Asia/Shanghai"
CHINA = make_calendar()

# Mon 4 to Thu 7 March 2024, seven working hours a day.
LOG = """
a report   04 09:00 member  grid
a review   04 10:00 centre  street
a file     04 11:00 centre  street
a dispatch 04 14:00 centre  street
a return   05 09:00 bureau  district
a dispatch 05 10:00 centre  street
a handle   05 11:00 water   district
a delay    05 12:00 centre  street
a verify   06 09:00 member  grid
a rework   06 10:00 member  grid
a verify   07 10:00 member  grid
a close    07 11:00 centre  community
"""


def moment(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz=ZONE)


def events(log: str) -> pd.DataFrame:
    """Return a log from lines of case, event, day of March 2024, time, and who and level."""
    rows = [[*line.split(), None, None][:6] for line in log.strip().splitlines()]
    frame = pd.DataFrame(rows, columns=["case", "event", "day", "hour", "by", "level"])
    at = pd.to_datetime("2024-03-" + frame["day"] + " " + frame["hour"])
    return frame.drop(columns=["day", "hour"]).assign(time=at.dt.tz_localize(ZONE))


def lived(log: str, **given: object) -> CaseLife:
    return case_life(events(log), CHINA, **given)  # type: ignore[arg-type]


def told(life: CaseLife) -> list[tuple[str, str, str, str]]:
    columns = ("case", "kind", "stage", "detail")
    return list(zip(*(life.findings[name] for name in columns), strict=True))


def test_a_case_through_all_its_stages() -> None:
    life = lived(LOG)
    case = life.cases.loc["a"]
    assert told(life) == []
    assert case["state"] == "close"
    assert (case["opened"], case["closed"]) == (
        moment("2024-03-04 09:00"), moment("2024-03-07 11:00"),
    )  # fmt: skip
    assert case[["returns", "reworks", "delays", "appeals"]].tolist() == [1, 1, 1, 0]
    assert (case["level"], case["closed_by"]) == ("community", "centre")


def test_hours_of_stages_worked_out_by_hand() -> None:
    case = lived(LOG).cases.loc["a"]
    natural = {"report": 1, "review": 1, "file": 3 + 1, "dispatch": 19 + 1, "handle": 22 + 24,
               "verify": 1 + 1}  # fmt: skip
    working = {"report": 1, "review": 1, "file": 1.5 + 1, "dispatch": 3.5 + 1, "handle": 5 + 7,
               "verify": 1 + 1}  # fmt: skip
    assert {name: case[f"{name}_h"] for name in natural} == natural
    assert {name: case[f"{name}_working_h"] for name in working} == working
    assert case["hours"] == sum(natural.values()) == 74
    assert case["working_hours"] == sum(working.values()) == 23


def test_every_turn_of_a_stage_is_a_row() -> None:
    stages = lived(LOG).stages
    assert stages["stage"].tolist() == [
        "report", "review", "file", "dispatch", "file", "dispatch", "handle", "verify", "handle",
        "verify", "close",
    ]  # fmt: skip
    assert stages["turn"].tolist() == [1, 1, 1, 1, 2, 2, 1, 1, 2, 2, 1]
    assert (stages["left"][:-1].array == stages["entered"][1:].array).all()
    assert stages["left"].isna().sum() == 1


def test_the_state_at_an_earlier_moment() -> None:
    life = lived(LOG, as_of=moment("2024-03-06 09:30"))
    case = life.cases.loc["a"]
    assert case["state"] == "verify"
    assert case["closed"] is pd.NaT
    assert case["verify_h"] == 0.5
    assert case["reworks"] == 0
    early = lived(LOG, as_of=moment("2024-03-01 00:00"))
    assert early.cases.index.tolist() == ["a"]
    assert early.cases["state"].isna().all()


@pytest.mark.parametrize(
    ("log", "state", "findings"),
    [
        ("b report 04 09:00\nb dispatch 04 10:00", "dispatch", [("dispatch", "report")]),
        ("b close 04 09:00", "close", [("close", "-")]),
        # Once told, a skipped stage is believed: what follows is no second finding.
        (
            "b report 04 09:00\nb dispatch 04 10:00\nb handle 04 11:00\nb verify 04 12:00",
            "verify",
            [("dispatch", "report")],
        ),
        ("b report 04 09:00\nb reject 04 10:00", "reject", []),
        ("b report 04 09:00\nb review 04 10:00\nb return 04 11:00", "report", []),
        ("b report 04 09:00\nb rework 04 10:00", "handle", [("rework", "report")]),
        ("b report 04 09:00\nb delay 04 10:00", "report", [("delay", "report")]),
        (
            "b report 04 09:00\nb reject 04 10:00\nb file 04 11:00",
            "file",
            [("file", "reject")],
        ),
    ],
)
def test_impossible_transitions_are_told_and_never_dropped(
    log: str, state: str, findings: list[tuple[str, str]]
) -> None:
    life = lived(log)
    assert life.cases["state"].tolist() == [state]
    assert told(life) == [("b", "impossible", event, was) for event, was in findings]


def test_appeals() -> None:
    start = "c report 04 09:00\nc review 04 09:01\nc file 04 09:02\nc dispatch 04 09:03\n"
    assert lived(start + "c appeal 04 09:04").cases["state"].tolist() == ["file"]
    ended = start + "c handle 04 10:00\nc verify 04 11:00\nc close 04 12:00\nc appeal 05 09:00"
    life = lived(ended)
    assert life.cases["state"].tolist() == ["verify"]
    assert life.cases["closed"].isna().all()
    assert life.cases["close_at"].notna().all()
    assert life.cases["appeals"].tolist() == [1]
    assert told(life) == []


def test_the_closing_that_counts_is_the_last() -> None:
    start = "c report 04 09:00\nc review 04 09:01\nc file 04 09:02\nc dispatch 04 09:03\n"
    start += "c handle 04 10:00\nc verify 04 11:00\nc close 04 12:00 li street\n"
    again = start + "c appeal 05 09:00 zhao grid\nc close 05 10:00 wang district"
    case = lived(again).cases.loc["c"]
    assert case["closed"] == moment("2024-03-05 10:00")
    assert case["close_at"] == moment("2024-03-04 12:00")
    assert (case["closed_by"], case["level"]) == ("wang", "district")
    assert case["hours"] == 1 + 1 + 1 + 1  # not the 21 hours in which it was closed
    reopened = lived(start + "c appeal 05 09:00 zhao grid").cases.loc[["c"]]
    assert reopened["closed"].isna().all()
    assert reopened["closed_by"].isna().all()
    assert reopened["level"].tolist() == ["grid"]


def test_an_event_of_the_very_moment_is_known() -> None:
    life = lived(LOG, as_of=moment("2024-03-06 10:00"))
    assert life.cases.loc["a", "reworks"] == 1
    assert life.stages["stage"].iloc[-1] == "handle"
    assert life.stages["hours"].iloc[-1] == 0


def test_events_of_one_time_are_in_the_order_of_the_log() -> None:
    log = "h report 04 09:00\nh review 04 09:00\nh file 04 09:00\ng report 04 08:00"
    life = lived(log)
    assert told(life) == []
    assert life.cases["state"].to_dict() == {"g": "report", "h": "file"}
    assert life.stages["stage"].tolist() == ["report", "report", "review", "file"]


def test_times_that_touch_and_times_that_cross() -> None:
    def at(day: str) -> pd.Series:
        return pd.Series(pd.to_datetime([day])).dt.tz_localize(ZONE)

    opened = at("2024-03-04 09:00")
    for closed, hours, kinds in (
        ("2024-03-04 09:00", [0.0], []),
        ("2024-03-04 08:59", [], ["closed_before_opening"]),
    ):
        given = pd.DataFrame({"code": ["a"], "opened": opened, "closed": at(closed)})
        life = case_life_of_times(given, CHINA)
        assert life.cases["hours"].dropna().tolist() == hours
        assert life.stages["hours"].dropna().tolist() == hours
        assert life.findings["kind"].tolist() == kinds
    for as_of, state in (("2024-03-04 12:00", "close"), ("2024-03-04 11:59", "handle")):
        given = pd.DataFrame({"code": ["a"], "opened": opened, "closed": at("2024-03-04 12:00")})
        life = case_life_of_times(given, CHINA, as_of=moment(as_of))
        assert life.cases["state"].tolist() == [state]


def test_rows_that_cannot_be_used_are_told() -> None:
    log = events(LOG + "d foo 04 09:00\nd close 04 10:00 x galaxy\ne report 04 09:00")
    log.loc[len(log)] = [None, "report", None, None, moment("2024-03-04 09:00")]
    log.loc[len(log)] = ["f", "report", None, None, pd.NaT]
    log.loc[len(log)] = ["e", "report", None, None, moment("2024-03-04 09:00")]
    life = case_life(log, CHINA)
    found = life.findings[["case", "kind", "stage", "detail"]].astype(object)
    assert sorted(found.fillna("?").itertuples(index=False, name=None)) == [
        ("?", "no_case", "report", ""),
        ("d", "impossible", "close", "-"),
        ("d", "unknown_event", "foo", ""),
        ("d", "unknown_level", "close", "galaxy"),
        ("e", "repeated", "report", ""),
        ("f", "no_time", "report", ""),
    ]
    assert life.cases.index.tolist() == ["a", "d", "e", "f"]
    assert life.cases.loc["f", ["state"]].isna().all()
    assert life.cases.loc["d", ["level"]].isna().all()


def test_the_order_of_the_log_does_not_matter() -> None:
    log = events(LOG)
    shuffled = log.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(case_life(log, CHINA).cases, case_life(shuffled, CHINA).cases)


def test_a_granted_deadline_is_kept() -> None:
    log = events(LOG)
    until = pd.Series([pd.NaT] * len(log)).dt.tz_localize(ZONE)
    until[7] = moment("2024-03-08 17:30")
    life = case_life(log.assign(until=until), CHINA)
    assert life.cases["extended"].tolist() == [moment("2024-03-08 17:30")]


def test_a_stage_in_a_year_nobody_knows_has_no_working_hours() -> None:
    log = events("g report 04 09:00\ng review 04 10:00")
    life = case_life(log, CHINA, as_of=moment("2031-01-01 00:00"))
    assert told(life) == [("g", "unknown_year", "review", "2027")]
    assert life.cases["review_working_h"].isna().all()
    assert life.cases["report_working_h"].tolist() == [1]
    assert life.cases["review_h"].notna().all()


def test_a_log_without_a_column_or_a_zone_is_refused() -> None:
    log = events(LOG)
    with pytest.raises(ConformError, match="no column 'event'"):
        case_life(log.drop(columns="event"), CHINA)
    with pytest.raises(ConformError, match="without a time zone"):
        case_life(log.assign(time=log["time"].dt.tz_localize(None)), CHINA)


def test_the_table_of_transitions_is_whole() -> None:
    table = life_table()
    assert STAGES == ("report", "review", "file", "dispatch", "handle", "verify", "close")
    assert set(STAGES) | {"", "reject"} == set(table.states)
    assert {"return", "rework", "delay", "appeal", "reject"} | set(STAGES) == set(table.events)
    assert LEVELS[0] == "microgrid"
    assert table.possible.any(axis=0).all()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from([*life_table().events, "?"]),
            st.integers(0, 50),
        ),
        min_size=1,
    )
)  # fmt: skip
def test_nothing_is_lost(log: list[tuple[str, str, int]]) -> None:
    """Every event is possible, or a finding; the hours of the stages are those of the case."""
    frame = pd.DataFrame(log, columns=["case", "event", "hour"])
    start = moment("2024-03-04 00:00")
    frame = frame.assign(time=start + pd.to_timedelta(frame["hour"], unit="h"))
    life = case_life(frame, CHINA)
    table, fine = life_table(), 0
    used = frame.drop_duplicates(["case", "event", "time"])
    used = used[used["event"] != "?"].sort_values("time", kind="stable")
    for _, one in used.groupby("case"):
        state = 0
        for event in one["event"]:
            number = table.events.index(event)
            fine += bool(table.possible[state, number])
            state = int(table.follows[state, number])
        found = life.cases.loc[one["case"].iloc[0], ["state"]].fillna("")
        assert found["state"] == table.states[state]
    assert set(life.findings["kind"]) <= {"impossible", "repeated", "unknown_event"}
    assert fine + len(life.findings) == len(frame)
    assert set(life.cases.index) == set(frame["case"])
    closed = life.cases[life.cases["closed"].notna()]
    waited = closed[[f"{name}_h" for name in STAGES[:-1]]].sum(axis=1)
    assert np.allclose(waited, closed["hours"])
    resting = life.stages[life.stages["stage"].isin(["close", "reject"])]
    rested = resting.groupby("case")["hours"].sum().reindex(closed.index).fillna(0)
    whole = (closed["closed"] - closed["opened"]) / pd.Timedelta(hours=1)
    assert np.allclose(waited + rested, whole)


def test_cases_of_which_only_times_are_known() -> None:
    def at(*days: str | None) -> pd.Series:
        return pd.Series(pd.to_datetime(list(days))).dt.tz_localize(ZONE)

    problems = pd.DataFrame(
        {
            "code": ["a", "b", "c", "d", "d"],
            "category": "x",
            "opened": at("2024-03-04 09:00", "2024-03-04 09:00", "2024-03-04 09:00", None,
                         "2024-03-04 09:00"),
            "due": at("2024-03-05 09:00", "2024-03-03 09:00", None, None, None),
            "closed": at("2024-03-05 10:00", None, "2024-03-04 08:00", None, "2024-03-09 10:00"),
        }
    )  # fmt: skip
    life = case_life_of_times(problems, CHINA, as_of=moment("2024-03-06 09:00"))
    assert life.cases["state"].fillna("?").tolist() == ["close", "handle", "close", "?", "handle"]
    assert life.cases["hours"].iloc[0] == 25
    assert life.cases["working_hours"].iloc[0] == 8
    assert life.cases["hours"].iloc[1:].isna().all()
    assert life.stages["hours"].tolist()[1] == 48
    assert life.cases["category"].eq("x").all()
    assert sorted((case, kind) for case, kind, _, _ in told(life)) == [
        ("b", "due_before_opening"),
        ("c", "closed_before_opening"),
        ("d", "no_opening"),
        ("d", "repeated"),
    ]
    assert problems["closed"].notna().sum() == 3, "what is given is not changed"
    with pytest.raises(ConformError, match="no column 'closed'"):
        case_life_of_times(problems.drop(columns="closed"), CHINA)


def test_every_finding_has_its_sentence() -> None:
    for lang in messages.LANGUAGES:
        said = explain(lived("b close 04 09:00").findings, lang)
        assert said.str.contains("b").all()
        assert said.str.contains("2024-03-04 09:00").all()


def test_a_log_of_a_million_events_takes_seconds() -> None:
    count, span = 150_000, [0, 1, 2, 5, 30, 60, 61]
    log = pd.DataFrame(
        {
            "case": np.repeat(np.arange(count), len(STAGES)),
            "event": np.tile(STAGES, count),
            "hour": np.tile(span, count) + np.repeat(np.arange(count) % 9000, len(STAGES)),
        }
    )
    log["time"] = moment("2024-01-02 00:00") + pd.to_timedelta(log["hour"], unit="h")
    begin = time.process_time()
    life = case_life(log, CHINA)
    assert time.process_time() - begin < 15
    assert (life.cases["state"] == "close").all()
    assert (life.cases["hours"] == 61).all()
    assert len(life.findings) == 0
