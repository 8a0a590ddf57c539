"""The templates of our own pages, and what browsers may do with what they get.

A page carries its style sheets: it is painted without another question to the server, and before any
script runs. The policy names them by their hashes, so that nothing else inside a page counts as a style.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from siphon import figures, reading
from siphon.sources import sources
from siphon.toolview import parts
from siphon.urls import session_url
from siphon.visible import visible

STATIC = "-/siphon/static"  # where plugins/static/ is mounted
_STYLES = ("siphon.css", "home.css", "lists.css", "login.css", "session.css")


def policy(styles: str = "'self'") -> str:
    """A Content-Security-Policy: our own files, and nothing from elsewhere."""
    return (
        f"default-src 'none'; script-src 'self'; style-src {styles}; img-src 'self' data:;"
        " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    )


class Pages(NamedTuple):
    """Our templates, and the policy of the pages they make."""

    templates: Environment
    policy: str


def pages(plugins: Path, static: Callable[..., str]) -> Pages:
    """Those in plugins/. `static` gives the address of a file that is served."""
    inside = {name: (plugins / "static" / name).read_text() for name in _STYLES}
    styles = " ".join(["'self'", *map(_hash, inside.values())])
    return Pages(_templates(plugins, static, inside), policy(styles))


def compile_all(templates: Environment) -> None:
    """As they are when each was asked for once; of Datasette's, which lie among them, only ours."""
    for name in templates.list_templates(filter_func=lambda name: name != "base.html"):
        templates.get_template(name)


def _hash(text: str) -> str:
    """As a policy names what stands between two tags."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _shown(value: object) -> object:
    """A value as a page shows it: a text must not reorder what stands beside it."""
    if type(value) is not str or value.isprintable():  # a Markup is ours, and safe
        return value
    return visible(value)


def _templates(plugins: Path, static: Callable[..., str], inside: Mapping[str, str]) -> Environment:
    """Datasette's own environment awaits every value, which doubles a page's time."""
    made = Environment(
        # The bar is Datasette's pages' too.
        loader=FileSystemLoader([plugins / "pages", plugins / "templates"]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_shown,
    )
    made.globals |= {
        "static": lambda name: static(name, mount=STATIC),
        "inline": {name: Markup(f"<style>{text}</style>") for name, text in inside.items()},
        "figures": figures,
        "reading": reading,
        "parts": parts,
        "session_url": session_url,
        "sources": sources(),
    }
    return made
