"""Where the tools of this family keep things, below the home."""

from typing import NamedTuple


class Places(NamedTuple):
    """Where a tool of this family keeps things, below the home."""

    tool: str
    data: tuple[str, ...]  # folders that hold stores and trees
    firsts: tuple[str, ...] = ()  # more folders with trees of the first generation
    exports: str | None = None  # folder of export documents

    @property
    def stores(self) -> tuple[str, ...]:
        """Patterns of the stores, one a channel."""
        return tuple(f"{data}/{name}.db" for data in self.data for name in (self.tool, f"{self.tool}-*"))

    @property
    def second(self) -> tuple[str, ...]:
        return tuple(f"{data}/storage/session/*/" for data in self.data)

    @property
    def first(self) -> tuple[str, ...]:
        roots = (*self.data, *self.firsts)
        return tuple(f"{root}/project/*/storage/session/info/" for root in roots)
