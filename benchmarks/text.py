"""Prose, code and program output by the slice, cut from pools that are built once from a seed.

Making text word by word costs more than writing it; a slice costs a microsecond. Each slice gets a
token of its own (a commit hash, a run id), so the vocabulary keeps growing as it does in real logs.
"""

import re
from collections.abc import Callable, Iterator
from random import Random
from string import Formatter
from typing import NamedTuple

from benchmarks import vocabulary

_MARK = "¤"
_FAST = 40_000
"""Slices begin this far before a pool's end at the latest, so that long ones seldom run out."""

_SENTENCES = (
    "{W} {w} {w} {w} {w} {w} {w} {w}. ",
    "{W} {w} {w}, {w} {w} {w} {w} {w} {w} {w} {w}. ",
    "{W} {w} {w} {w} {w} {w} `{i}` {w} {w} {w} {w}. ",
    "{W} {w} {w} {w} — {w} {w} {w} {w} {w} {w} {w} {w} {w}. ",
    "{W} {w} {w} {w} {w} {w} {w} {w} {w} in `{p}` {w} {w} {w} {w} {w}. ",
    "{W} {w} {w} {w} {w}; {w} {w} {w} {w} {w} {w} ({n} {w}, {n} {w}). ",
    "{W} {w} {w}'s {w} {w} “{w} {w} {w}” {w} {w} {w} {w} {w}? ",
    "It {w} {w} {w} {w} {w} commit ¤ {w} {w} {w} {w}. ",
    "{W} {w} {w}:\n\n- **{W} {w}**: {w} {w} {w} `{i}`\n- {W} {w} → {w} {w} {w}\n- ✓ {w} {w}. ",
    "{W} {w} {w} {w} {w} {w} {w} {w} {w} {w} {w} {w} {w} {w} {w} {w} {w}.\n\n",
    "{W} {w} {w} {w} {w} {w}.\n\n## {W} {w} {w}\n\n{W} {w} {w} {w} {w} {w} {w}. ",
    "{W} {w} naïve {w}, „{w} für {w}“, {w} 日本語の{i} {w} {w} 🚀 {w}. ",
)
_CODE = (
    "def {i}(self, {i}: {T}, {i}: int = {n}) -> {T}:",
    '    """{W} {w} {w} {w} {w} {w}; {w} {w} {w}."""',
    "    {i} = self.{i}.{i}({i}, {i}={n})",
    "    if {i} is None or len({i}) > {n}:",
    '        raise {T}Error(f"{i}: {w} {w} {{{i}!r}}")',
    "    for {i}, {i} in enumerate({i}.{i}()):",
    "        {i}[{i}] = {i}({i}, '{w}-{w}')",
    '    return {T}({i}={i}, {i}="{w}")',
    "    assert {i}({i}) == '{w}-¤'",
    '{i} = "¤{n}"  # {w} {w} {w}',
    "",
    "class {T}({T}):",
    "    # {W} {w} {w} {w} {w} {w} {w} {w}.",
    "from {i}.{i} import {T}, {i}",
    "export const {i} = async ({i}: {T}): Promise<{T}[]> => {{",
    "  const {{ {i}, {i} }} = await this.{i}.{i}<{T}>({i}, {{ {i}: {n} }});",
    "  if (!{i} || {i}.length === {n}) return [];",
    "  expect({i}.{i}).toEqual({{ {i}: '{w}', {i}: {n} }});",
    "}};",
    '  "{i}": {{ "{i}": "{w}/{w}", "{i}": {n} }},',
    "select {i}, count(*) from {i} where {i} > {n} group by {i};",
    "    let {i}: Vec<{T}> = {i}.iter().map(|{i}| {i}.{i}()).collect();",
    "\t\tif err := {i}.{T}(ctx, {i}); err != nil {{",
    '\t\t\treturn fmt.Errorf("{w} {w}: %w", err)',
    "  {i}:\n    - {w}: ${{{i}}}\n    - path: {p}",
)
_OUTPUT = (
    (
        "{p}::test_{i}_{w}_{w} PASSED",
        "{p}::test_{i}_{w} PASSED",
        "{p}::{T}::test_{w}_{w}_{w} \x1b[32mPASSED\x1b[0m",
        "{p}::test_{i}[{w}-{n}] FAILED",
        "{p}::test_{i}[¤{n}] PASSED",
        "======================== {n} passed, 2 failed in {n}.41s (run ¤) ========================",
    ),
    (
        "Traceback (most recent call last):",
        '  File "/srv/app/{p}", line {n}, in {i}',
        "    {i} = {i}.{i}({i})",
        "E   AssertionError: assert {n} == {n}",
        "E     where {n} = <bound method {T}.{i} of {T}('{w}')>",
        "{T}Error: {w} {w} {w} '{i}' {w} {w}",
        "    <{T} object at 0x7f¤{d}>",
    ),
    (
        "{p}:{n}:    {i} = {i}({i}, {n})",
        "{p}:{n}:  # {W} {w} {w} {w} {w}",
        "{p}:{n}:    {i} = fixture_¤_{n}",
        "{p}:{n}:export function {i}({i}: {T}): {T}",
        "{p}-{n}-    return {i}.{i}",
    ),
    (
        "2026-05-{d}T{d}:{d}:{d}.{n}Z \x1b[36mINFO\x1b[0m {i}.{i} {w} {w} {i}={n} {i}=¤",
        "2026-05-{d}T{d}:{d}:{d}.{n}Z WARN {i} {w} {w} {w}: {n} ms",
        "2026-05-{d}T{d}:{d}:{d}.{n}Z DEBUG {T} {w} {w} <{w}> {i}={n}",
    ),
    (
        "-rw-r--r--  1 dev  staff  {n}{d} May {d} {d}:{d} {i}.ts",
        "drwxr-xr-x  9 dev  staff    {n} May {d} {d}:{d} {w}",
        " {p} | {d} ++++++++-----",
        "?? {p}",
        "¤ {w}: {w} {w} {w} {w} {w}",
    ),
    (
        "diff --git a/{p} b/{p}",
        "@@ -{n},{d} +{n},{d} @@ def {i}(self):",
        "-    {i} = {i}({i})",
        "+    {i} = {i}({i}, {i}={n})",
        "     return {i}",
    ),
    (
        '{{"{i}": {n}, "{i}": "{w} {w}", "{i}": [{n}, {n}], "{i}": null}}',
        "<div class=\"{w}-{w}\" id='{i}'>{w} {w} &amp; {w}</div>",
        "{W} {w} {w} {w} {w} {w} {w} {w} {w} {w} {w} {w}.",
        "npm warn {w} {w}@{d}.{d}.{n}: {w} {w} {w}",
        "  {w}-¤{d}  {n} kB  {w}/{w}",
    ),
)


class Pool(NamedTuple):
    """Text to cut from, where a slice may begin, and what ends one."""

    text: str
    starts: list[int]
    stop: str


class Template(NamedTuple):
    """A %-format and the kind of word that each of its gaps takes."""

    form: str
    kinds: tuple[str, ...]


class Text:
    """All text of a corpus; everything it returns is a function of the seed and of the calls."""

    def __init__(self, rng: Random, pool_size: int) -> None:
        self._rng = rng
        self.words = vocabulary.words(rng)
        self._streams = _streams(rng, self.words)
        self._prose = _pool(self._fill_all(_SENTENCES, pool_size, 1), ". ")
        self._code = _pool(self._fill_all(_CODE, pool_size, 1), "\n")
        self._output = _pool(self._blocks(pool_size), "\n")
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        self._opaque = "".join(rng.choices(alphabet, k=max(200_000, pool_size // 4)))

    def prose(self, size: int) -> str:
        return self._cut(self._prose, size).strip()

    def code(self, size: int) -> str:
        """Whole lines, the last one with its newline."""
        return self._cut(self._code, size)

    def output(self, size: int) -> str:
        return self._cut(self._output, size).rstrip("\n")

    def opaque(self, size: int) -> str:
        """What signatures and encrypted reasoning look like: base64 that says nothing."""
        start = self._rng.randrange(len(self._opaque) - 5000)
        return self._opaque[start : start + min(size, 5000)]

    def phrase(self, count: int) -> str:
        return " ".join(next(self._streams["w"]) for _ in range(count))

    def path(self) -> str:
        return next(self._streams["p"])

    def name(self) -> str:
        return next(self._streams["i"])

    def _cut(self, pool: Pool, size: int) -> str:
        start = pool.starts[int(self._rng.random() * len(pool.starts))]
        end = pool.text.find(pool.stop, start + size)
        piece = pool.text[start : end + 1 if end >= 0 else len(pool.text)]
        return piece.replace(_MARK, f"{self._rng.getrandbits(28):07x}")

    def _fill(self, template: Template) -> str:
        return template.form % tuple([next(self._streams[kind]) for kind in template.kinds])

    def _fill_all(self, lines: tuple[str, ...], size: int, least: int) -> str:
        """At least `least` lines and `size` characters of these templates, drawn evenly."""
        made: list[str] = []
        templates, total = [_template(line) for line in lines], 0
        ending = "" if lines is _SENTENCES else "\n"
        while total < size or len(made) < least:
            made.append(self._fill(self._rng.choice(templates)) + ending)
            total += len(made[-1])
        return "".join(made)

    def _blocks(self, size: int) -> str:
        """Runs of one kind of output after another: a listing, a test run, a traceback."""
        made, total = [], 0
        while total < size:
            made.append(self._fill_all(self._rng.choice(_OUTPUT), 0, self._rng.randrange(4, 40)))
            total += len(made[-1])
        return "".join(made)


def plant(text: str, word: str, share: float) -> str:
    """The text with `word` between two of its words, about `share` of the way through."""
    place = text.find(" ", int(len(text) * share))
    return f"{text} {word}" if place < 0 else f"{text[:place]} {word}{text[place:]}"


def _streams(rng: Random, words: vocabulary.Ranked) -> dict[str, Iterator[str]]:
    return {
        "w": words.stream(rng),
        "W": (word.capitalize() for word in words.stream(rng)),
        "i": vocabulary.identifiers(rng).stream(rng),
        "T": vocabulary.types(rng).stream(rng),
        "p": vocabulary.paths(rng).stream(rng),
        "n": _draws(lambda: str(rng.randrange(1, 1000))),
        "d": _draws(lambda: f"{rng.randrange(10, 28)}"),
    }


def _draws(draw: Callable[[], str]) -> Iterator[str]:
    while True:
        yield draw()


def _template(line: str) -> Template:
    """`{i}` becomes a gap; doubled braces stand for themselves, as in str.format."""
    parts = [(literal.replace("%", "%%"), kind) for literal, kind, _, _ in Formatter().parse(line)]
    form = "".join(literal + ("%s" if kind else "") for literal, kind in parts)
    return Template(form, tuple(kind for _, kind in parts if kind))


def _pool(text: str, stop: str) -> Pool:
    last = max(len(text) - _FAST, len(text) // 2)
    starts = [found.end() for found in re.finditer(re.escape(stop), text[:last])]
    return Pool(text, starts, stop)
