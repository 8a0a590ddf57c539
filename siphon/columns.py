"""Columns of rows: what records hold, made into what SQLite can hold, many values at a time."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

OUTPUT_KEPT = 256 * 1024  # characters of a tool's output; of a longer one head and tail
LARGEST = 2**63 - 1

Column = Sequence[Any]


def begun(start: str) -> blake2b:
    return blake2b(start.encode(errors="replace"), digest_size=8)


def identity(*parts: object) -> int:
    """63-bit hash, the same on every machine."""
    return hashes(begun(""), ["\0".join(map(str, parts))])[0]


def hashes(start: blake2b, texts: Sequence[str]) -> list[int]:
    """63-bit hashes of what begins alike, the same on every machine."""
    found = []
    for data in _encoded(texts):
        state = start.copy()
        state.update(data)
        found.append(int.from_bytes(state.digest()) >> 1)
    return found


def _encoded(texts: Sequence[str]) -> list[bytes]:
    try:
        return list(map(str.encode, texts))
    except UnicodeEncodeError:  # a lone surrogate
        return [text.encode(errors="replace") for text in texts]


def text_of(text: str | None) -> str | None:
    """SQLite's functions end a text at NUL, so that what follows would be lost to search."""
    if text is not None and "\0" in text:
        return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text


def clean(texts: Column) -> Column:
    """As `text_of`, of each."""
    return [text if text is None or "\0" not in text else text_of(text) for text in texts]


def jsons(texts: Column) -> Column:
    """As `_json`, of each; most hold no backslash, for which one look is enough."""
    return [
        text if text is None or ("\\" not in text and "\0" not in text) else _json(text)
        for text in texts
    ]


def _json(text: str) -> str | None:
    """JSON text without needless escapes: a word with \\u00e9 in it would not be found."""
    if "\\u" not in text:
        return text_of(text)
    try:
        return msgspec.json.encode(msgspec.json.decode(text)).decode()
    except (msgspec.DecodeError, RecursionError):
        return text_of(text)


def number_of(value: int | None) -> int | None:
    """What SQLite can hold."""
    return value if value is None or -LARGEST <= value <= LARGEST else None


def fitting(column: Column) -> Column:
    """As `number_of`, of each."""
    return column if fit(column) else list(map(number_of, column))


def fit(values: Iterable[int | None]) -> bool:
    """Whether SQLite can surely hold them all."""
    return sum(map(abs, filter(None, values))) <= LARGEST


def outputs_kept(outputs: Column, sizes: Column) -> tuple[Column, Column]:
    """Outputs as they are kept, and their sizes where the log does not tell them."""
    outputs = clean(outputs)
    if None in sizes:
        sizes = [
            size if size is not None or output is None else _size(output)
            for output, size in zip(outputs, sizes, strict=True)
        ]
    if max(map(len, filter(None, outputs)), default=0) > OUTPUT_KEPT:
        outputs = [output and _cut(output) for output in outputs]
    return outputs, sizes


def _size(output: str) -> int:
    return len(output) if output.isascii() else len(output.encode(errors="replace"))


def _cut(output: str) -> str:
    if len(output) <= OUTPUT_KEPT:
        return output
    half = OUTPUT_KEPT // 2
    cut = len(output) - 2 * half
    return f"{output[:half]}\n[… {cut} characters left out; the archive has them …]\n{output[-half:]}"
