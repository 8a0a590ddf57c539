"""Glob patterns of sources: POSIX paths below a home, `**` crossing folders, hidden ones too."""

import re
from functools import lru_cache


@lru_cache(4096)
def compiled(pattern: str) -> re.Pattern[str]:
    """A regex to fullmatch: `**/` = any folders or none, `*` and `?` stay in one, `{a,b}`, `[abc]`."""
    return re.compile(_translate(pattern), re.DOTALL)


def fixed(pattern: str) -> str:
    """What stands before the first wildcard."""
    return re.split(r"[*?\[{]", pattern, maxsplit=1)[0]


def fixed_folder(pattern: str) -> str:
    """The folder above the first wildcard, "" for the home itself: where a search must begin."""
    return fixed(pattern).rpartition("/")[0]


_TOKENS = re.compile(r"\*\*/|\*\*|\*|\?|\{[^{}]*\}|\[!?[^\]]+\]|.", re.DOTALL)


def _translate(pattern: str) -> str:
    return "".join(_regex(token) for token in _TOKENS.findall(pattern))


@lru_cache(4096)
def pieces(pattern: str) -> tuple[tuple[str | None, str], ...]:
    """A pattern without `{}` piece by piece: a fixed text (None where it is wild), and a regex for it.

    The regex of what is wild is one group.
    """
    found = []
    for token in _TOKENS.findall(pattern):
        regex = _regex(token)
        found.append((token, regex) if regex == re.escape(token) else (None, f"({regex})"))
    return tuple(found)


def _regex(token: str) -> str:
    fixed = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if token in fixed:
        return fixed[token]
    if token.startswith("{"):
        return "(?:" + "|".join(_translate(part) for part in token[1:-1].split(",")) + ")"
    if token.startswith("[") and len(token) > 2:
        return "[" + token[1:].replace("!", "^", 1) if token[1] == "!" else token
    return re.escape(token)
