"""The tool's own clean-up: `cleanupPeriodDays` of a settings.json; 0 keeps nothing."""

import msgspec


class _Settings(msgspec.Struct):
    period: int | float | None = msgspec.field(default=None, name="cleanupPeriodDays")


_DECODER = msgspec.json.Decoder(_Settings)


def days(data: bytes) -> float | None:
    """Days that a log is kept after its last change; None: the file does not say."""
    settings = _DECODER.decode(data.removeprefix(b"\xef\xbb\xbf"))  # its errors are ValueErrors
    if settings.period is None:
        return None
    if settings.period < 0:
        raise ValueError(f"cleanupPeriodDays is {settings.period}; it would be 0 or more")
    return float(settings.period)
