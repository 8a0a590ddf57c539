"""URLs of our pages, and the state that lives in them: filters are added to and taken from a query."""

from urllib.parse import quote, urlencode

Arguments = list[tuple[str, str]]


def session_url(uid: str, seq: int | None = None, **more: object) -> str:
    """The session's page, at a record if `seq` says which."""
    given = {name: value for name, value in more.items() if value not in (None, "")}
    query = {**({} if seq is None else {"at": seq}), **given}
    anchor = "" if seq is None else f"#m{seq}"
    return f"/-/session/{quote(uid, safe='/~:@!$,')}{'?' + urlencode(query) if query else ''}{anchor}"


class Here:
    """A page's path and query; each method gives the URL of a page that differs in one thing.

    All but `page` lead to the first page of what they change.
    """

    def __init__(self, path: str, given: Arguments) -> None:
        self.path = path
        self.given = given
        self.first = [(name, value) for name, value in given if name not in ("offset", "cursor")]

    def has(self, name: str, value: str) -> bool:
        return (name, value) in self.given

    def add(self, name: str, value: object) -> str:
        return self._url([*self.first, (name, str(value))])

    def asks(self, name: str) -> bool:
        """Whether any value of the name is asked for."""
        return any(name == other for other, _ in self.given)

    def adding(self, name: str) -> str:
        """What the URL with one more value of the name begins with; the value follows, quoted."""
        return self._url(self.first) + ("&" if self.first else "?") + urlencode({name: ""})

    def remove(self, name: str, value: object = None) -> str:
        """Without the value; without any value of that name if it is None."""
        return self._url(
            [pair for pair in self.first if pair[0] != name or value not in (None, pair[1])]
        )

    def put(self, name: str, value: object) -> str:
        """With this value instead of any other; None: without."""
        rest = [pair for pair in self.first if pair[0] != name]
        return self._url(rest if value is None else [*rest, (name, str(value))])

    def page(self, name: str, value: object) -> str:
        rest = [pair for pair in self.first if pair[0] != name]
        return self._url([*rest, (name, str(value))])

    def hidden(self, *names: str) -> Arguments:
        """What a form must carry along, but for the names that it asks for itself."""
        return [pair for pair in self.first if pair[0] not in names]

    def _url(self, given: Arguments) -> str:
        return self.path + ("?" + urlencode(given) if given else "")
