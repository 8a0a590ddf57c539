"""How the name of a model in a log is read: literally first, then with less and less around it.

Every reading is compared with a whole name. Nothing here matches a part or a beginning of a name:
gpt-5.5-pro costs six times what gpt-5.5 does.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Reading(NamedTuple):
    """A name to look up, what was done to get it (joined by +), and whether it named the fast tier."""

    name: str
    rule: str
    fast: bool = False


# What tools write where no model is known or none was billed.
NO_MODEL = frozenset({"", "<synthetic>", "unknown", "auto", "default"})
# Every model whose name ends in this costs nothing, whatever it is called.
FREE = ":free"

# Routes and resellers that tools put before a name, as in openrouter/anthropic/claude-sonnet-4.5.
_WRAPPERS = {
    "accounts", "alibaba", "amazon-bedrock", "anthropic", "arcee-ai", "azure", "azure_ai", "bedrock",
    "bytedance-seed", "chatgpt", "copilot", "cursor", "dashscope", "deepseek", "fireworks", "gemini",
    "github-copilot", "github_copilot", "google", "google-vertex", "inception", "inclusionai",
    "kimi-code", "kimi-for-coding", "kwaipilot", "litellm", "meituan", "meta", "minimax", "mistral",
    "mistralai", "models", "moonshot", "moonshot-ai", "moonshotai", "nvidia", "openai", "openai-codex",
    "opencode", "openrouter", "poolside", "publishers", "qwen", "stepfun", "tencent",
    "thinkingmachines", "vercel_ai_gateway", "vertex_ai", "x-ai", "xai", "xiaomi", "z-ai", "zai",
    "zai-coding-plan",
}  # fmt: skip
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_BEDROCK = re.compile(r"^((us|eu|apac|global|jp|au|us-gov)\.)?anthropic\.")
_LONGEST = 200  # characters; what is longer is no decorated name
_FAMILY = "opus|sonnet|haiku|fable|mythos"


def readings(model: str) -> Iterator[Reading]:
    """The ways to read a model's name, the most literal first; none where it stands for no model."""
    name = model.strip()
    if name.lower() in NO_MODEL:
        return
    yield Reading(name, "exact")
    if len(name) > _LONGEST:
        return
    rules: tuple[str, ...] = ()
    for rule, act in _STEPS:
        name, before = act(name), name
        if name in NO_MODEL:
            return
        if name != before:
            rules = (*rules, rule)
            yield Reading(name, "+".join(rules))
    if name.endswith(FREE):
        yield Reading(FREE, "+".join((*rules, "free")))
        return
    yield from _shortened(name, rules)


def spelled(name: str) -> str:
    """The name under which prices are filed."""
    return _claude(name.strip().lower())


def _shortened(name: str, rules: tuple[str, ...]) -> Iterator[Reading]:
    fast = False
    while found := _suffix(name):
        rule, name = found
        rules = (*rules, rule)
        fast = fast or rule == "fast"
        yield Reading(name, "+".join(rules), fast)


def _suffix(name: str) -> tuple[str, str] | None:
    for rule, families, pattern in _SUFFIXES:
        shorter = pattern.sub("", name)
        if shorter not in (name, "") and families.match(name):
            return rule, shorter
    return None


def _unwrap(name: str) -> str:
    head, slash, rest = name.partition("/")
    while slash and (head in _WRAPPERS or _REGION.fullmatch(head)):
        name = rest
        head, slash, rest = name.partition("/")
    return _BEDROCK.sub("", name.removeprefix("custom:"))


def _spell(name: str) -> str:
    """A display name's spaces and brackets, Vertex's @ and Cursor's options, spelt as an API spells."""
    name = re.sub(r"\s*\(([a-z]+)\)$", r"-\1", name)
    name = name.replace("[fast=false]", "").replace("[fast=true]", "-fast")
    return re.sub(r"\s+", "-", name.replace("@", "-"))


def _claude(name: str) -> str:
    """Claude's version in dashes, after the family's name from version 4 on and before it up to 3."""
    if not name.startswith("claude-"):
        return name
    name = re.sub(r"(?<=\d)\.(?=\d)", "-", name)
    name = re.sub(rf"^claude-([4-9](?:-\d)?)-({_FAMILY})(?=-|\[|$)", r"claude-\2-\1", name)
    return re.sub(rf"^claude-({_FAMILY})-(3(?:-\d)?)(?=-|\[|$)", r"claude-\2-\1", name)


_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("lower", str.lower),
    ("wrapper", _unwrap),
    ("spelling", _spell),
    ("claude", _claude),
)
# Where -thinking and the like only say how a model was asked; elsewhere they name other models.
_ANY = re.compile("")
_SUFFIXES = (
    ("context", _ANY, re.compile(r"\[\d+m\]$")),
    ("latest", _ANY, re.compile(r"-latest$")),
    ("version", re.compile("claude-"), re.compile(r"-v\d+(:\d+)?$")),
    ("thinking", re.compile("claude-|gemini-"), re.compile(r"[-:](thinking|thought)$")),
    (
        "effort",
        re.compile(r"claude-|gemini-|gpt-|o\d|codex-"),
        re.compile(r"-(minimal|low|medium|high|xhigh)$"),
    ),
    ("fast", _ANY, re.compile(r"-fast$")),
    ("date", _ANY, re.compile(r"-(20\d{6}|20\d\d-\d\d-\d\d)$")),
)
