"""Claude Code logs written line by line, for tests of what stands above the parser."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

MODEL = "claude-sonnet-4-5-20250929"
START = datetime(2026, 3, 1, 10, tzinfo=UTC)


class Lines:
    """One session's log; every call adds a line, one second after the one before."""

    def __init__(self, session: str, cwd: str = "/home/ada/app", start: datetime = START) -> None:
        self.session = session
        self.cwd = cwd
        self.lines: list[str] = []
        self.now = start

    def prompt(self, text: str) -> None:
        self._add("user", {"role": "user", "content": text})

    def reply(self, text: str) -> None:
        self._response([{"type": "text", "text": text}])

    def thinking(self, text: str) -> None:
        self._response([{"type": "thinking", "thinking": text, "signature": "x"}])

    def call(self, name: str, given: object, output: str, *, error: bool = False) -> None:
        """A tool call and its result."""
        key = f"toolu_{self.session[-4:]}_{len(self.lines)}"
        self._response([{"type": "tool_use", "id": key, "name": name, "input": given}])
        result = {"tool_use_id": key, "type": "tool_result", "content": output, "is_error": error}
        self._add("user", {"role": "user", "content": [result]})

    def title(self, text: str) -> None:
        self.lines.append(
            json.dumps({"type": "custom-title", "customTitle": text, "sessionId": self.session})
        )

    def write(self, home: Path, folder: str = "-home-ada-app") -> Path:
        path = home / ".claude" / "projects" / folder / f"{self.session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in self.lines), encoding="utf-8")
        return path

    def _response(self, content: list[dict[str, Any]]) -> None:
        number = len(self.lines)
        message = {
            "id": f"msg_{self.session[-4:]}_{number}",
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": content,
            "stop_reason": "end_turn",
            "usage": {
                "input_tokens": 10,
                "cache_creation_input_tokens": 100,
                "cache_read_input_tokens": 1000,
                "output_tokens": 20,
            },
        }
        self._add("assistant", message, requestId=f"req_{self.session[-4:]}_{number}")

    def _add(self, type_: str, message: dict[str, Any], **more: Any) -> None:
        self.now += timedelta(seconds=1)
        number = len(self.lines)
        record = {
            "parentUuid": f"{self.session[-4:]}-{number - 1}" if number else None,
            "isSidechain": False,
            "cwd": self.cwd,
            "sessionId": self.session,
            "version": "2.1.201",
            "gitBranch": "main",
            "type": type_,
            "uuid": f"{self.session[-4:]}-{number}",
            "timestamp": self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "message": message,
            **more,
        }
        self.lines.append(json.dumps(record, ensure_ascii=False))
