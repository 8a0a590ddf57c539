"""siphon.times: one converter for every stamp, by table or by the standard library."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siphon.times import millis

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def by_datetime(text: str) -> int | None:
    """What the standard library makes of an ISO text."""
    try:
        moment = datetime.fromisoformat(text.strip())
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return None


@given(st.datetimes())
def test_the_usual_form_is_what_datetime_says(moment: datetime) -> None:
    text = f"{moment.isoformat(timespec='milliseconds')}Z"
    assert millis(text) == by_datetime(text) is not None


@given(st.datetimes(timezones=st.timezones()), st.sampled_from(["auto", "seconds", "microseconds"]))
def test_every_iso_form_is_what_datetime_says(moment: datetime, spec: str) -> None:
    text = moment.isoformat(timespec=spec)
    assert millis(text) == by_datetime(text)


def test_a_minute_met_in_another_zone_is_no_minute_of_this_one() -> None:
    assert millis("2026-02-19T22:19:10.313+02:00") == 1771532350313
    assert millis("2026-02-19T22:19:10.313Z") == 1771539550313


TORN = st.from_regex(
    r"[0-9]{4}[-/][0-9]{2}-[0-9]{2}[T _][0-9]{2}:[0-9]{2}[:.][0-9 ]{2}[.,][0-9+]{3}[Zz+]?",
    fullmatch=True,
)


@given(TORN)
def test_what_only_looks_like_the_usual_form_is_no_other_time(text: str) -> None:
    assert millis(text) == by_datetime(text)


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2026-02-19T20:19:10.313Z", 1771532350313),
        ("2026-02-19 20:19:10.313Z", 1771532350313),
        ("2026-02-19T20:19:10", 1771532350000),
        ("2026-02-19T22:19:10.3139+02:00", 1771532350313),
        (" 2026-02-19T20:19:10.313Z\n", 1771532350313),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2026-02-30T20:19:10.313Z", None),
        ("2026-02-19T20:19:60.313Z", None),
        ("2026-02-19T24:19:10.313Z", None),
        ("２０26-02-19T20:19:10.313Z", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (True, None),
        (float("nan"), None),
        (1771532350, 1771532350000),
        (1771532350.313, 1771532350313),
        (1771532350313, 1771532350313),
        (1771532350313000, 1771532350313),
        (1771532350313000000, 1771532350313),
        ("1771532350", 1771532350000),
    ],
)
def test_a_stamp_is_utc_milliseconds_or_none(stamp: str | float | None, expected: int | None) -> None:
    assert millis(stamp) == expected
