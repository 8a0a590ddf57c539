"""Pushing into a bucket: an object a log, whole; a bucket shows it when all of it is there."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError

from siphon.bucket import Bucket
from siphon.bucketerrors import reason
from siphon.buckethost import SHA256, BucketHost
from siphon.errors import SiphonError
from siphon.etag import bare
from siphon.hosts import Found
from siphon.layout import RAW, key
from siphon.pushtarget import Content
from siphon.wanted import Wanted

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_LONGEST = 1024  # bytes of a name, in every kind of bucket
_PART = 8 << 20  # bytes: larger objects go in such parts


class BucketTarget:
    """One machine's folder in a bucket."""

    def __init__(self, store: "ObjectStore", bucket: Bucket, machine: str) -> None:
        self.name = bucket.url
        self._prefix = bucket.prefix
        self._store = store
        self._machine = machine

    def sweep(self) -> None:
        """Parts of objects are not seen; a rule of the bucket drops them (docs/buckets.md)."""

    def there(self, wanted: Wanted) -> Mapping[str, Found]:
        host = BucketHost(self._store, self.name, self._machine, lambda _: None)
        return host.find(wanted).found

    def put(self, content: Content) -> str:
        name = f"{self._machine}/{RAW}/{key(content.path)}"
        with content.file as file:
            if len(f"{self._prefix}/{name}".encode()) > _LONGEST:
                raise SiphonError("its name is too long for a bucket")
            try:
                done = obstore.put(
                    self._store,
                    name,
                    file,
                    attributes={SHA256: content.sha256},
                    chunk_size=_PART,
                    max_concurrency=4,
                )
            except (BaseError, FileNotFoundError) as error:
                raise SiphonError(f"{self.name}: {reason(error)}") from None
        return bare(done["e_tag"]) or ""

    def say(self, name: str, data: bytes) -> None:
        try:
            obstore.put(self._store, f"{self._machine}/{name}", data)
        except (BaseError, FileNotFoundError) as error:
            raise SiphonError(f"{self.name}: {reason(error)}") from None

    def close(self) -> None:
        """Nothing to hang up."""
