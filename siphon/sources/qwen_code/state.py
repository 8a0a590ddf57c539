"""What is known of a session while its records are read."""

from dataclasses import dataclass, field
from typing import NamedTuple

from siphon.lines import Line
from siphon.records import Relation, Session
from siphon.sources._transcript import Transcript


class At(NamedTuple):
    """A record's place."""

    own: str  # native id; that of the original, where it is a copy
    ts: int | None
    line: Line
    gone: bool  # rewound
    copied: bool


@dataclass
class Reading:
    """What is known of one session so far."""

    session: Session
    lines: Transcript
    side: bool  # a subagent's
    calls: dict[str, int] = field(default_factory=dict)  # seq by call id
    relations: dict[str, Relation] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)
