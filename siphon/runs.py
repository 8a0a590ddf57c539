"""The book of runs, kept short: what happened stays, that nothing happened is forgotten after a week."""

from siphon.archive import Archive

_KEPT = 7 * 24 * 3600 * 1000  # ms


def thin(archive: Archive, at: int) -> int:
    """Drop runs of more than a week before `at` (ms) that found nothing new; how many went.

    Each host's last run and its last success stay, whatever they found.
    """
    if not (archive.root / ".ledger.db").exists():
        return 0
    with archive.ledger.write() as db:
        return db.execute(
            "delete from runs where ended_at < ? and outcome = 'ok' and kind in ('collect', 'load')"
            " and coalesce(logs_changed, 0) = 0 and coalesce(problems, 0) = 0"
            " and id not in (select max(id) from runs group by kind, host, outcome)",
            [at - _KEPT],
        ).rowcount
