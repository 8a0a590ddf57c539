"""The .jsonl files of old builds: a line about the session, then one a message."""

from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.sources._loose import mapping, stamp, text
from siphon.sources.goose.blocks import Written


class Line(msgspec.Struct):
    """Any line; the first one alone has no role."""

    role: Any = None
    id: Any = None
    created: Any = None
    content: Any = None
    metadata: Any = None
    working_dir: Any = None
    description: Any = None
    accumulated_input_tokens: Any = None
    accumulated_output_tokens: Any = None
    accumulated_total_tokens: Any = None
    schedule_id: Any = None


class File(NamedTuple):
    about: dict[str, Any]
    messages: list[Written]


_LINE = msgspec.json.Decoder(Line)


def read(file: Log, owned: bool) -> File:
    """A file's session; `owned`: the log is this very file, so offsets lead into it."""
    about: dict[str, Any] = {}
    messages = []
    for place, line in file.objects(_LINE):
        if line.role is None:
            about = about or msgspec.structs.asdict(line)
            continue
        shown = mapping(line.metadata)
        own = text(line.id)
        messages.append(
            Written(
                key=f"{own}@{line.created}" if own else None,
                role=text(line.role),
                content=line.content,
                ts=stamp(line.created) or None,
                user_visible=shown.get("userVisible") is not False,
                agent_visible=shown.get("agentVisible") is not False,
                offset=place.offset if owned else None,
                length=len(place.data) if owned else None,
            )
        )
    return File(about, messages)
