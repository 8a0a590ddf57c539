"""What of a user-role text was typed by a person, and what the harness put there."""

import re
from typing import Any, NamedTuple

from siphon.records import MessageKind
from siphon.sources._loose import image, mapping, text
from siphon.sources.codex.lines import Part


class Block(NamedTuple):
    """A part of a user-role text of one kind."""

    kind: MessageKind
    text: str


def blocks(whole: str) -> list[Block]:
    """Split a user-role text; the parts keep their order. Blank text gives none."""
    found: list[Block] = []
    rest = whole.strip()
    while rest.startswith("<recommended_plugins>") and "</recommended_plugins>" in rest:
        end = rest.index("</recommended_plugins>") + len("</recommended_plugins>")
        found.append(Block("meta", rest[:end]))
        rest = rest[end:].strip()
    return found + _split(rest) if rest else found


def _split(rest: str) -> list[Block]:
    if rest.startswith(_PREAMBLES):
        return [Block("meta", rest)]
    if rest.startswith("<user_shell_command>"):
        return [Block("command", _shell_command(rest))]
    if rest.startswith(("<subagent_notification>", "<hook_prompt")):
        return [Block("notice", rest)]
    if rest.startswith(_WRAPPERS):
        return _unwrapped(rest)
    return [Block("meta" if _INJECTED.fullmatch(rest) else "prompt", rest)]


_PREAMBLES = (
    "# AGENTS.md instructions",
    "<environment_context>",
    "<INSTRUCTIONS>",
    "<user_instructions>",
    "<permissions instructions>",
    "<collaboration_mode>",
    "<skill>",
    "<skills_instructions>",
    "<recommended_plugins>",
    "<turn_aborted>",
    "<goal_context",
    "<codex_internal_context",
    "<apps_instructions>",
    "<plugins_instructions>",
    "<personality_spec>",
    "<user_action>",
)
_WRAPPERS = ("# Context from my IDE setup:", "# Files mentioned by the user:")
_REQUEST = re.compile(r"^## My request for Codex:[ \t]*", re.MULTILINE)

# Releases add such wrappers faster than a list can name them; people's own tags seldom hold `_`.
_INJECTED = re.compile(r"<([a-z]+(?:_[a-z]+)+)(?: [^>]*)?>.*</\1>", re.DOTALL)


def _unwrapped(rest: str) -> list[Block]:
    """The IDE's context and, after its last heading, the prompt."""
    headings = list(_REQUEST.finditer(rest))
    if not headings:
        return [Block("prompt", rest)]
    context = rest[: headings[-1].start()].strip()
    prompt = rest[headings[-1].end() :].strip()
    found = [Block("meta", context)] if context not in _WRAPPERS else []
    return [*found, Block("prompt", prompt)] if prompt else found


_COMMAND = re.compile(r"<command>\n?(.*?)\n?</command>", re.DOTALL)
_RESULT = re.compile(r"<result>\n?(.*?)\n?</result>", re.DOTALL)


def _shell_command(rest: str) -> str:
    """`!command` and what it printed."""
    command, result = _COMMAND.search(rest), _RESULT.search(rest)
    if command is None:
        inner = rest.removeprefix("<user_shell_command>").removesuffix("</user_shell_command>")
        return f"!{inner.strip()}"
    return f"!{command[1]}\n{result[1]}" if result else f"!{command[1]}"


_CWD = re.compile(r"<environment_context>.*?<cwd>([^<]+)</cwd>", re.DOTALL)


def folder(context: str) -> str | None:
    """The working folder that an environment_context names: old files state it nowhere else."""
    found = _CWD.match(context)
    return found[1] if found else None


def texts(content: Any) -> list[str]:
    """The texts of a message's content; the tags that stand round images are left out."""
    if isinstance(content, str):
        return [content] if content else []
    if not content or not isinstance(content, list):
        return []
    found = []
    for part in content:
        value = part.text if isinstance(part, Part) else _words(part)
        if value and isinstance(value, str) and not (len(value) < 99 and _is_image_tag(value)):
            found.append(value)
    return found


def _words(part: Any) -> Any:
    return part if isinstance(part, str) else mapping(part).get("text")


def _is_image_tag(value: str) -> bool:
    return "image" in value and _IMAGE_TAG.fullmatch(value) is not None


_IMAGE_TAG = re.compile(r"\s*(<image(?: name=[^>]*)?>|</image>)\s*")


def images(content: Any) -> list[dict[str, Any]]:
    """A message's images as attachments, without their data."""
    if not isinstance(content, list):
        return []
    return [
        attachment(part.image_url)
        for part in content
        if isinstance(part, Part) and part.image_url and part.type in ("input_image", "image")
    ]


def attachment(url: Any) -> dict[str, Any]:
    """What is kept of an image given as a data URL, a URL or a path."""
    address = text(url) or ""
    if address.startswith("data:"):
        head, _, data = address.partition(",")
        return image(head[5:].partition(";")[0], data)
    return {"type": "image", "media_type": None, "bytes": None}
