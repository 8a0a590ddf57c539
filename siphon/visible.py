"""Text from a log as it may be shown: what would act on a terminal or reorder a line is made visible."""

import re

# Colours, cursor movements, window titles and hyperlinks of terminals.
_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)"
    r"|[PX^_][^\x1b]{0,4096}\x1b\\|[ -/]*[0-~])"
)
# Characters that change the order in which others are read (bidirectional controls), and controls.
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """The text without terminal sequences, other controls replaced by a sign; CR LF becomes LF."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    return _ACTING.sub(_sign, text)


def _sign(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code == 0x0D:
        return "\n"  # a progress bar's line, written over
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"[U+{code:04X}]"
