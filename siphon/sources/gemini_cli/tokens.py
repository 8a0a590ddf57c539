"""Gemini's token counts made disjoint. Also right for its forks, whose back ends count otherwise."""

from typing import NamedTuple


class Classes(NamedTuple):
    """Disjoint counts; output includes reasoning."""

    input: int | None
    cache_read: int | None
    output: int | None
    reasoning: int | None


def disjoint(
    prompt: int | None,
    output: int | None,
    cached: int | None,
    thoughts: int | None,
    tool: int | None,
    total: int | None,
) -> Classes:
    """The rule of the API: cached is inside prompt, thoughts and tool are beside both.

    A total that only adds up otherwise tells of a back end that counts otherwise: cached beside the
    prompt, or (OpenAI-like servers) thoughts inside the output.
    """
    p, o, c, t, u = prompt or 0, output or 0, cached or 0, thoughts or 0, tool or 0
    inside = not (c and total == p + o + t + u + c)
    thoughts_inside = bool(t) and total == p + o + u and t <= o
    fresh = p - min(c, p) + u if inside else p + u
    return Classes(
        input=None if prompt is None and tool is None else fresh,
        cache_read=cached if cached is None or not inside else min(c, p),
        output=None if output is None and thoughts is None else o + (0 if thoughts_inside else t),
        reasoning=thoughts,
    )
