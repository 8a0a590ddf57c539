"""siphon.times: one converter for every stamp."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siphon.times import millis

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLI = timedelta(milliseconds=1)
MOMENTS = st.datetimes(timezones=st.just(UTC))


def of_datetime(text: str) -> int | None:
    """What the standard library makes of it."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH // MILLI * MILLI and (
            (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
        ) // MILLI
    except (ValueError, OverflowError):
        return None
