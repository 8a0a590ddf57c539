"""The tools siphon reads. Each module here states its tool's `SOURCES`; adding one is adding a file."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import ModuleType

from siphon.source import Source


@cache
def sources() -> Mapping[str, Source]:
    """All sources by name, in the order of their names."""
    found = [source for module in modules() for source in getattr(module, "SOURCES", ())]
    return {source.name: source for source in sorted(found, key=lambda source: source.name)}


def modules() -> Iterator[ModuleType]:
    """The tools' modules, by name; what each reads is told by its docstring."""
    for info in pkgutil.iter_modules(__path__):
        if not info.name.startswith("_"):
            yield importlib.import_module(f"{__name__}.{info.name}")
