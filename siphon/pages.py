"""The templates of our own pages, and what browsers may do with what they get.

A page carries its style sheets and the script that chooses the theme: it is painted without another
question to the server. The policy names them by their hashes, so that nothing else inside a page
counts as a style or a script.
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

STATIC = "-/siphon/static"  # where plugins/static/ is mounted
_TAGS = {"css": "style", "js": "script"}
_STYLES = ("siphon.css", "home.css", "lists.css", "login.css", "session.css")
_SCRIPTS = ("theme.js",)


def policy(styles: str = "'self'", scripts: str = "'self'") -> str:
    """A Content-Security-Policy: our own files, and nothing from elsewhere."""
    return (
        f"default-src 'none'; script-src {scripts}; style-src {styles}; img-src 'self' data:;"
        " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    )


class Pages(NamedTuple):
    """Our templates, and the policy of the pages they make."""

    templates: Environment
    policy: str


def pages(plugins: Path, static: Callable[..., str]) -> Pages:
    """Those in plugins/. `static` gives the address of a file that is served."""
    inside = {name: (plugins / "static" / name).read_text() for name in (*_STYLES, *_SCRIPTS)}
    styles, scripts = (
        " ".join(["'self'", *(_hash(inside[name]) for name in names)]) for names in (_STYLES, _SCRIPTS)
    )
    return Pages(_templates(plugins, static, inside), policy(styles, scripts))


def _hash(text: str) -> str:
    """As a policy names what stands between two tags."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _templates(plugins: Path, static: Callable[..., str], inside: Mapping[str, str]) -> Environment:
    """Datasette's own environment awaits every value, which doubles a page's time."""
    made = Environment(
        # The bar is Datasette's pages' too.
        loader=FileSystemLoader([plugins / "pages", plugins / "templates"]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.globals |= {
        "static": lambda name: static(name, mount=STATIC),
        "inline": {name: _tagged(name, text) for name, text in inside.items()},
        "figures": figures,
        "reading": reading,
        "parts": parts,
        "session_url": session_url,
        "sources": sources(),
    }
    return made


def _tagged(name: str, text: str) -> Markup:
    tag = _TAGS[name.rpartition(".")[2]]
    return Markup(f"<{tag}>{text}</{tag}>")  # a file of ours
