"""Source text as HTML with classes for its syntax; nothing but spans and text comes out."""

from functools import cache
from html import escape

from pygments import highlight as render
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_by_name, find_lexer_class_for_filename
from pygments.util import ClassNotFound

LONGEST = 12_000  # characters; longer ones stay plain, as colouring takes a millisecond per kB
PREFIX = "c-"  # of the classes
_FORMAT: HtmlFormatter[str] = HtmlFormatter(nowrap=True, classprefix=PREFIX)


def highlight(code: str, language: str) -> str:
    """HTML of the code, coloured if the language is known and the code not too long."""
    lexer = _by_name(language.lower()) if language and len(code) <= LONGEST else None
    return escape(code) if lexer is None else render(code, lexer, _FORMAT)


def highlight_file(code: str, path: str) -> str:
    """As `highlight`, the language being that of the file's name."""
    name = path.replace("\\", "/").rpartition("/")[2]
    lexer = _by_file(name) if name and len(code) <= LONGEST else None
    return escape(code) if lexer is None else render(code, lexer, _FORMAT)


@cache
def _by_name(language: str) -> Lexer | None:
    try:
        return find_lexer_class_by_name(language)(stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _by_file(name: str) -> Lexer | None:
    suffix = name.rpartition(".")[2]
    return _by_suffix(f"x.{suffix}" if "." in name else name)


@cache
def _by_suffix(name: str) -> Lexer | None:
    found = find_lexer_class_for_filename(name)
    return None if found is None else found(stripnl=False, ensurenl=False)
