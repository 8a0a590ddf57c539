"""A bucket as siphon.yml or a command line names it, and the library's store behind it."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from siphon.errors import SiphonError
from siphon.yamlnodes import Place, fail, text

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

_URL = re.compile(r"(s3|gs|az)://([^/\s]+)((?:/[^/]+)*)/*", re.DOTALL)

# Kind → key of siphon.yml → option of the library. A profile is resolved here (siphon/awsprofile.py).
_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "s3": {
        "endpoint": "endpoint",
        "region": "region",
        "profile": "profile",
        "access_key_id": "access_key_id",
        "secret_access_key": "secret_access_key",
        "session_token": "session_token",
    },
    "gs": {"endpoint": "base_url", "service_account": "service_account"},
    "az": {
        "endpoint": "endpoint",
        "account": "account_name",
        "account_key": "account_key",
        "sas_token": "sas_key",
    },
}
_SECRETS = ("secret_access_key", "session_token", "account_key", "sas_token")
KEYS: Mapping[str, tuple[str, ...]] = {kind: tuple(options) for kind, options in _OPTIONS.items()}


class Secret(str):
    """Text that is not shown where a value is printed."""

    def __repr__(self) -> str:
        return "'…'"


class Bucket(NamedTuple):
    """A place in a bucket, and how to get at it."""

    kind: str  # s3, gs, az
    name: str
    prefix: str  # "" or a folder, without slashes around it
    options: tuple[tuple[str, str], ...] = ()  # the library's, and "profile"
    exposed: Path | None = None  # the file that shows a secret of it to other users

    @property
    def url(self) -> str:
        """Where it is, for people."""
        return f"{self.kind}://{self.name}/{self.prefix}".rstrip("/")


def parsed(url: str) -> Bucket:
    """The bucket of a URL. Raises SiphonError saying how one is written."""
    found = _URL.fullmatch(url)
    prefix = found[3].strip("/") if found else ""
    if found is None or any(part in (".", "..") for part in prefix.split("/")):
        right = "s3://BUCKET/FOLDER, gs://BUCKET/FOLDER or az://CONTAINER/FOLDER is right"
        raise SiphonError(f"{url!r} names no bucket; {right}")
    return Bucket(found[1], found[2], prefix)


def bucket(kind: str, values: Mapping[str, Place]) -> Bucket:
    """The bucket that a host's keys in siphon.yml describe."""
    try:
        found = parsed(text(values[kind]))
    except SiphonError as error:
        raise fail(values[kind], str(error)) from error
    if found.kind != kind:
        raise fail(values[kind], f"'{kind}: {found.url}': write it as '{found.kind}: {found.url}'")
    _check(kind, values)
    named = {key: values[key] for key in _OPTIONS[kind] if key in values}
    options = {
        _OPTIONS[kind][key]: Secret(text(place)) if key in _SECRETS else text(place)
        for key, place in named.items()
    }
    secret = next((place for key, place in named.items() if key in _SECRETS), None)
    return found._replace(options=tuple(options.items()), exposed=_exposed(secret))


def with_options(found: Bucket, **given: str | None) -> Bucket:
    """The bucket with options of a command line. Raises SiphonError for one that its kind has not."""
    known = _OPTIONS[found.kind]
    for key, value in given.items():
        if value is not None and key not in known:
            raise SiphonError(f"{found.url}: --{key} does not go with {found.kind}://; drop it")
    more = {known[key]: value for key, value in given.items() if value is not None}
    return found._replace(options=tuple({**dict(found.options), **more}.items()))


def opened(found: Bucket, home: Path, environ: Mapping[str, str]) -> "ObjectStore":
    """The library's store, which has asked for nothing yet. Raises SiphonError.

    `home` and `environ`: where the user's profiles lie and which is chosen.
    """
    from obstore.exceptions import BaseError
    from obstore.store import AzureStore, GCSStore, S3Store

    from siphon.bucketerrors import reason

    options: dict[str, Any] = dict(found.options)
    if found.kind == "s3":
        options = _with_credentials(options, home, environ)
    shared: dict[str, Any] = {
        "prefix": found.prefix or None,
        "client_options": _client(options),
        "retry_config": _RETRIES,
    }
    stores: Mapping[str, Any] = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
    try:
        store: ObjectStore = stores[found.kind](found.name, **shared, **options)
    except (BaseError, ValueError, OSError) as error:
        raise SiphonError(f"{found.url}: {reason(error)}") from None
    return store


_RETRIES: "RetryConfig" = {
    "max_retries": 4,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=5)},
}


def _client(options: Mapping[str, str]) -> "ClientConfig":
    """A request moves a few MB at most (siphon/buckethost.py): no time limit is for a whole log."""
    endpoint = options.get("endpoint") or options.get("base_url") or ""
    return {
        "connect_timeout": timedelta(seconds=15),
        "read_timeout": timedelta(seconds=60),
        "timeout": timedelta(minutes=10),
        "allow_http": endpoint.startswith("http://"),  # asked for in so many words
    }


def _with_credentials(options: dict[str, Any], home: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """The options with the keys of one place alone: never a key from here and a token from there."""
    from siphon.awsprofile import profile_of

    name = options.pop("profile", None)
    key = options.pop("access_key_id", None)
    secret, token = options.pop("secret_access_key", None), options.pop("session_token", None)
    if key is not None:
        mine = {"access_key_id": key, "secret_access_key": secret, "token": token, "expires_at": None}
        return {**options, "credential_provider": lambda: mine}
    if name is None and "AWS_ACCESS_KEY_ID" in environ:
        return _with_endpoint(options, environ)
    profile = profile_of(home, environ, name)
    if profile is None:
        return _with_endpoint(options, environ)
    if profile.region is not None and not environ.keys() & {"AWS_REGION", "AWS_DEFAULT_REGION"}:
        options = {"region": profile.region, **options}
    if profile.endpoint is not None and not environ.keys() & {*_ENDPOINTS}:
        options = {"endpoint": profile.endpoint, **options}
    return {**_with_endpoint(options, environ), "credential_provider": profile.credentials}


_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


def _with_endpoint(options: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The library reads these variables by itself, but not whether http was asked for."""
    found = next((environ[name] for name in _ENDPOINTS if environ.get(name)), None)
    return options if found is None else {"endpoint": found, **options}


def _check(kind: str, values: Mapping[str, Place]) -> None:
    pair = ("access_key_id", "secret_access_key")
    there = [key for key in pair if key in values]
    if kind == "s3" and len(there) == 1:
        other = pair[1 - pair.index(there[0])]
        raise fail(values[there[0]], f"{there[0]!r} goes with {other!r}; name both or neither")
    if "session_token" in values and not there:
        raise fail(values["session_token"], "'session_token' goes with 'access_key_id'")


def _exposed(secret: Place | None) -> Path | None:
    """The file in which the secret stands, if others can read it."""
    if secret is None or not secret.file.stat().st_mode & 0o077:
        return None
    return secret.file
