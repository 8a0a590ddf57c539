"""Claude Code's tool calls with their results, as the transcript shows and repeats them."""

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.chance import spread
from benchmarks.claude_log import ClaudeLog, Json, call_id

_TOOLS = ("pytest -q", "git log --stat --", "rg -n", "npm test --", "sed -n 1,80p", "ls -la")


class Call(NamedTuple):
    """A call, its result as the model sees it, and the detail that the tool logs beside it."""

    id: str
    name: str
    input: Json
    content: str | list[Json]
    detail: object
    error: bool | None = None
    took: int = 40  # milliseconds, about
    progress: tuple[Json, ...] = ()  # what is logged between call and result


def bash(log: ClaudeLog) -> Call:
    command = log.planted("tool_input", f"cd {log.header.place.cwd} && {_command(log)}")
    return _shell(log, command, log.world.text.output(_size(log)))


def script(log: ClaudeLog) -> Call:
    """A command of several lines: in the log each of them follows an escaped newline."""
    lines = [f"cat > notes.txt <<'EOF'\n{log.planted('tool_input_after_newline', '').lstrip()}"]
    lines += [log.world.text.phrase(6), log.world.text.code(300) + "EOF", _command(log)]
    return _shell(log, "\n".join(lines), log.world.text.output(_size(log) // 4))


def long_output(log: ClaudeLog) -> Call:
    text = log.world.text.output(49_000)
    for kind, share in (("output_head", 0.001), ("output_middle", 0.5), ("output_tail", 1.0)):
        text = log.planted(kind, text, share)
    return _shell(log, _command(log), text)


def failed(log: ClaudeLog) -> Call:
    text = log.planted("tool_error", "Exit code 1\n" + log.world.text.output(_size(log) // 2))
    made = _shell(log, _command(log), text)
    return made._replace(detail=f"Error: {text}", error=True)


def rejected(log: ClaudeLog) -> Call:
    text = (
        "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if it "
        "was a file edit, the new_string was NOT written to the file)."
    )
    made = _shell(log, _command(log), text)
    return made._replace(detail="User rejected tool use", error=True)


def read(log: ClaudeLog) -> Call:
    path, text = _path(log), log.world.text.code(_size(log, 2100))
    text = log.planted("read_output", text)
    lines = text.split("\n")
    mark = "\t" if log.header.era.modern else "→"
    shown = "\n".join(f"{i:6}{mark}{line}" for i, line in enumerate(lines, 1))
    file: Json = {
        "filePath": path,
        "content": text,
        "numLines": len(lines),
        "startLine": 1,
        "totalLines": len(lines),
    }
    return _call(log, "Read", {"file_path": path}, shown, {"type": "text", "file": file})


def edit(log: ClaudeLog) -> Call:
    path, original = _path(log), log.world.text.code(_size(log, 3800, 40_000))
    lines = original.split("\n")
    count = min(len(lines), log.rng.randrange(1, 9))
    first = log.rng.randrange(max(1, len(lines) - count))
    old = lines[first : first + count]
    new = log.planted("edit", log.world.text.code(spread(log.rng, 200, 0.8, 20, 4000))).split("\n")
    texts: Json = {"old_string": "\n".join(old), "new_string": "\n".join(new)}
    detail: Json = {
        "filePath": path,
        "oldString": texts["old_string"],
        "newString": texts["new_string"],
        "originalFile": original,
        "structuredPatch": [_hunk(lines, first, old, new)],
        "userModified": False,
        "replaceAll": False,
    }
    answer = f"The file {path} has been updated successfully."
    return _call(log, "Edit", {"replace_all": False, "file_path": path} | texts, answer, detail)


def write(log: ClaudeLog) -> Call:
    path, text = _path(log), log.planted("write", log.world.text.code(_size(log, 2200)))
    detail: Json = {"type": "create", "filePath": path, "content": text, "structuredPatch": []}
    detail["originalFile"] = None
    answer = f"File created successfully at: {path}"
    return _call(log, "Write", {"file_path": path, "content": text}, answer, detail)


def grep(log: ClaudeLog) -> Call:
    text = log.planted("grep_output", log.world.text.output(_size(log)))
    asked: Json = {"pattern": log.world.text.name(), "path": log.header.place.cwd}
    asked["output_mode"] = "content"
    detail: Json = {"mode": "content", "numFiles": 0, "filenames": [], "content": text}
    return _call(log, "Grep", asked, text, detail | {"numLines": text.count("\n") + 1})


def glob(log: ClaudeLog) -> Call:
    names = [_path(log) for _ in range(log.rng.randrange(1, 30))]
    detail: Json = {"filenames": names, "durationMs": 31, "numFiles": len(names), "truncated": False}
    asked: Json = {"pattern": "**/*.py", "path": log.header.place.cwd}
    return _call(log, "Glob", asked, "\n".join(names), detail)


def todo(log: ClaudeLog) -> Call:
    states = ("completed", "in_progress", "pending", "pending")
    todos = [
        {"content": log.world.text.phrase(6), "status": state, "activeForm": log.world.text.phrase(5)}
        for state in states
    ]
    answer = "Todos have been modified successfully. Ensure that you continue to use the todo list."
    return _call(log, "TodoWrite", {"todos": todos}, answer, {"oldTodos": [], "newTodos": todos})


def fetch(log: ClaudeLog) -> Call:
    url, text = f"https://docs.example.org/{_path(log)[1:]}", log.say("fetched", 1800)
    asked: Json = {"url": url, "prompt": log.world.text.phrase(12)}
    detail: Json = {"bytes": 48_211, "code": 200, "codeText": "OK", "result": text}
    return _call(log, "WebFetch", asked, text, detail | {"durationMs": 2210, "url": url})


def mcp(log: ClaudeLog) -> Call:
    texts: list[Json] = [{"type": "text", "text": log.world.text.output(_size(log))}]
    return _call(log, "mcp__tracker__search_issues", {"query": log.world.text.phrase(3)}, texts, texts)


Maker = Callable[[ClaudeLog], Call]
MAKERS: dict[Maker, float] = {
    bash: 34,
    read: 21,
    edit: 17,
    grep: 7,
    write: 4,
    glob: 4,
    script: 4,
    failed: 3,
    todo: 3,
    mcp: 1.5,
    fetch: 1,
    rejected: 0.5,
}
EVERY: tuple[Maker, ...] = (*(m for m in MAKERS if m is not rejected), long_output)


def _call(log: ClaudeLog, name: str, asked: Json, content: str | list[Json], detail: object) -> Call:
    return Call(call_id(log.rng), name, asked, content, detail)


def _shell(log: ClaudeLog, command: str, text: str) -> Call:
    asked: Json = {"command": command, "description": log.world.text.phrase(4)}
    detail: Json = {"stdout": text, "stderr": "", "interrupted": False, "isImage": False}
    if log.header.era.modern:
        detail["noOutputExpected"] = False
    return _call(log, "Bash", asked, text, detail)._replace(error=False)


def _hunk(lines: list[str], first: int, old: list[str], new: list[str]) -> Json:
    before, after = lines[max(0, first - 3) : first], lines[first + len(old) :][:3]
    around = len(before) + len(after)
    shown = [f" {line}" for line in before] + [f"-{line}" for line in old]
    shown += [f"+{line}" for line in new] + [f" {line}" for line in after]
    start = first - len(before) + 1
    spans: Json = {"oldStart": start, "oldLines": len(old) + around}
    return spans | {"newStart": start, "newLines": len(new) + around, "lines": shown}


def _size(log: ClaudeLog, median: int = 1100, most: int = 50_000) -> int:
    return spread(log.rng, median / (3 if log.world.small else 1), 1.05, 20, most)


def _path(log: ClaudeLog) -> str:
    return f"{log.header.place.cwd}/{log.world.text.path()}"


def _command(log: ClaudeLog) -> str:
    text = log.world.text
    tool = log.rng.choice(_TOOLS)
    return f"{tool} {text.path()} 2>&1 | tail -{log.rng.randrange(5, 200)}"
