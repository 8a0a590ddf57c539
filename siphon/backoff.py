"""When a host is collected next: an interval after the last try, later and later while it fails."""

LONGEST_SECONDS = 3600  # between two tries of a host that fails; its own interval, if that is longer


def wait_seconds(interval: int, failures: int) -> int:
    """Seconds from one try to the next; `failures` in a row double them from the second on."""
    doubled = interval << min(max(0, failures - 1), 30)
    return max(interval, min(doubled, LONGEST_SECONDS))


def next_run(interval: int, attempted_at: int | None, failures: int) -> int | None:
    """When the host is due (ms); None: at once, as it was never tried."""
    if attempted_at is None:
        return None
    return attempted_at + wait_seconds(interval, failures) * 1000
