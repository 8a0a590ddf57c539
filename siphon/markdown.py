"""Markdown from a log as safe HTML: no raw HTML, no images, no scripts, links to the web only."""

import re
from collections.abc import MutableMapping, Sequence
from functools import cache, lru_cache
from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from pygments.token import STANDARD_TYPES

from siphon.highlight import PREFIX, highlight
from siphon.visible import visible

SCHEMES = {"http", "https", "mailto"}
_PLAIN = re.compile(r"[\w \t.,;:!?()'\"/%$+=…–—-]*", re.ASCII)
_STARTS = re.compile(r"[ \t]*(?:[-+=]|\d+[.)]|\t|    )")
_TAGS = set(
    "p br hr h3 h4 h5 h6 ul ol li blockquote pre code em strong s a span table thead tbody tr th td"
    " div".split()
)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "span": {"title"},
    "pre": {"data-language"},
    "ol": {"start"},
}
_URL = re.compile(r"https?://(?:&amp;|[^\s<>&`'\"])*[\w/#=+~-]")
_CLASSES = {
    "span": {"nolink", *(f"{PREFIX}{name}" for name in STANDARD_TYPES.values())},
    "div": {"wide"},
    "th": {"center", "right"},
    "td": {"center", "right"},
}


@lru_cache(2048)  # paging through a session, or following it, shows the same messages again
def markdown(text: str, *, breaks: bool = False) -> str:
    """HTML of the text; with `breaks` its line ends are kept, as people type them."""
    text = visible(text)
    if _PLAIN.fullmatch(text) and not _STARTS.match(text):
        return f"<p>{escape(text)}</p>"
    return _cleaner().clean(_parser(breaks).render(text))


@cache
def _cleaner() -> nh3.Cleaner:
    """Lets through what the rules below write, and nothing else."""
    return nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        url_schemes=SCHEMES,
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )


@cache
def _parser(breaks: bool) -> MarkdownIt:
    options = {"html": False, "linkify": False, "breaks": breaks, "typographer": False}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    for name, rule in {
        "heading_open": _heading,
        "heading_close": _heading,
        "link_open": _link_open,
        "link_close": _link_close,
        "image": _image,
        "text": _text,
        "fence": _fence,
        "code_block": _code_block,
        "table_open": _table_open,
        "table_close": _table_close,
        "th_open": _cell,
        "td_open": _cell,
    }.items():
        parser.add_render_rule(name, rule)
    return parser


Env = MutableMapping[str, Any]


def _heading(
    self: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, env: Env
) -> str:
    """The page has its own h1 and h2."""
    token = tokens[place]
    token.tag = f"h{min(6, int(token.markup.count('#') or (1 if token.markup == '=' else 2)) + 2)}"
    return self.renderToken(tokens, place, options, env)


def _link_open(
    self: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, env: Env
) -> str:
    token = tokens[place]
    href = str(token.attrGet("href") or "")
    leads = href.partition(":")[0].lower() in SCHEMES
    env.setdefault("links", []).append(leads)
    if leads:
        return self.renderToken(tokens, place, options, env)
    return f'<span class="nolink" title="{escape(href)}">'


def _link_close(
    _self: RendererHTML, _tokens: Sequence[Token], _place: int, _options: OptionsDict, env: Env
) -> str:
    return "</a>" if env["links"].pop() else "</span>"


def _text(
    _self: RendererHTML, tokens: Sequence[Token], place: int, _options: OptionsDict, env: Env
) -> str:
    text = escape(tokens[place].content, quote=False)
    if "://" not in text or env.get("links"):
        return text
    return _URL.sub(r'<a href="\g<0>">\g<0></a>', text)


def _image(
    self: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, env: Env
) -> str:
    """A picture on another host would tell it who reads: a link to it instead."""
    token = tokens[place]
    source = str(token.attrGet("src") or "")
    label = escape(self.renderInlineAsText(token.children, options, env) or source or "image")
    if source.partition(":")[0].lower() in {"http", "https"}:
        return f'<a href="{escape(source)}">🖼 {label}</a>'
    return f'<span class="nolink" title="{escape(source[:200])}">🖼 {label}</span>'


def _fence(
    _self: RendererHTML, tokens: Sequence[Token], place: int, _options: OptionsDict, _env: Env
) -> str:
    token = tokens[place]
    language = (token.info.strip().split() or [""])[0]
    label = f' data-language="{escape(language[:30])}"' if language else ""
    return f"<pre{label}><code>{highlight(token.content, language)}</code></pre>\n"


def _code_block(
    _self: RendererHTML, tokens: Sequence[Token], place: int, _options: OptionsDict, _env: Env
) -> str:
    return f"<pre><code>{escape(tokens[place].content)}</code></pre>\n"


def _table_open(*_: object) -> str:
    return '<div class="wide"><table>'


def _table_close(*_: object) -> str:
    return "</table></div>"


def _cell(
    _self: RendererHTML, tokens: Sequence[Token], place: int, _options: OptionsDict, _env: Env
) -> str:
    """Alignment as a class: the page's policy allows no style attributes."""
    token = tokens[place]
    align = str(token.attrGet("style") or "").removeprefix("text-align:")
    label = f' class="{align}"' if align in ("center", "right") else ""
    return f"<{token.tag}{label}>"
