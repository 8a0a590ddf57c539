"""Machines that pushed: to a bucket of a real S3 server (moto's), or into an inbox folder."""

import shutil
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import boto3
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from fleet import config_of
from siphon.archive import Archive
from siphon.bucket import Bucket, Secret
from siphon.collect import collect
from siphon.config import Config, HostConfig
from siphon.hostreport import HostReport

ACCOUNT = "123456789012"
KEYS = {"access_key_id": "AKIATEST", "secret_access_key": Secret("s3cret-" + "x" * 33)}
_numbers = count(1)


class Shelf(Protocol):
    """Where machines put their logs."""

    def put(self, key: str, data: bytes) -> None:
        """Put what lies at <machine>/raw/<path>, at once or not at all."""

    def delete(self, key: str) -> None: ...

    def keys(self) -> list[str]: ...


class InBucket(NamedTuple):
    """A bucket of the server's own, named after nothing."""

    url: str  # of the server
    name: str
    client: Any

    @property
    def bucket(self) -> Bucket:
        options = {"endpoint": self.url, "region": "us-east-1", **KEYS}
        return Bucket("s3", self.name, "logs", tuple(options.items()))

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=f"logs/{key}", Body=data)

    def put_parts(self, key: str, data: bytes, size: int) -> None:
        """In parts, as large objects are: its ETag is no MD5 of the bytes then."""
        where = {"Bucket": self.name, "Key": f"logs/{key}"}
        upload = self.client.create_multipart_upload(**where)["UploadId"]
        done = []
        for number, start in enumerate(range(0, len(data), size), 1):
            part = {"UploadId": upload, "PartNumber": number, "Body": data[start : start + size]}
            etag = self.client.upload_part(**where, **part)["ETag"]
            done.append({"PartNumber": number, "ETag": etag})
        self.client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": done})

    def put_as_it_is(self, key: str, data: bytes) -> Any:
        """Past HTTP, which changes some names on its way; gives what the server keeps."""
        return s3_backends[ACCOUNT]["aws"].put_object(self.name, key, data)

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=f"logs/{key}")

    def keys(self) -> list[str]:
        found = s3_backends[ACCOUNT]["aws"].buckets[self.name].keys
        return sorted(key.removeprefix("logs/") for key in found)


class InFolder(NamedTuple):
    """An inbox."""

    folder: Path

    def put(self, key: str, data: bytes) -> None:
        part = self.folder / ".part"
        part.write_bytes(data)
        (self.folder / key).parent.mkdir(parents=True, exist_ok=True)
        part.replace(self.folder / key)

    def delete(self, key: str) -> None:
        (self.folder / key).unlink()

    def keys(self) -> list[str]:
        files = (file for file in self.folder.rglob("*") if file.is_file())
        return sorted(str(file.relative_to(self.folder)) for file in files)


class Machines(NamedTuple):
    """What collects it: as the host `box`."""

    config: Config

    @property
    def archive(self) -> Archive:
        return Archive(self.config.archive)

    def collect(self, **options: bool) -> list[HostReport]:
        """The reports: on the bucket as such, and on each machine."""
        return collect(self.config, self.archive, **options)

    def report(self, machine: str = "laptop") -> HostReport:
        """Collect, without an error anywhere; the report on one machine."""
        reports = {report.host: report for report in self.collect()}
        assert [report.error for report in reports.values()] == [None] * len(reports), reports
        return reports[f"box/{machine}"]

    def read(self, path: str, machine: str = "laptop") -> bytes | None:
        file = self.archive.home(f"box/{machine}").open(path)
        return None if file is None else file.read()

    def held(self, machine: str = "laptop") -> dict[str, tuple[int, int]]:
        """path → (generation, size)"""
        return {one.path: (one.generation, one.size) for one in self.archive.held(f"box/{machine}")}

    def gone(self) -> list[str]:
        rows = self.archive.ledger.rows("select path from logs where gone_at is not null order by path")
        return [path for (path,) in rows]

    def sound(self) -> bool:
        assert list(self.archive.verify(read_data=True)) == []
        return not list((self.archive.root / ".parts").iterdir())


def new_bucket(server: ThreadedMotoServer) -> InBucket:
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    secrets = {f"aws_{key}": str(value) for key, value in KEYS.items()}
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **secrets)
    name = f"bucket-{next(_numbers)}"
    client.create_bucket(Bucket=name)
    return InBucket(url, name, client)


def new_inbox(folder: Path) -> InFolder:
    (folder / "inbox").mkdir()
    return InFolder(folder / "inbox")


def machines_of(shelf: Shelf, folder: Path, **changes: object) -> Machines:
    if isinstance(shelf, InBucket):
        host = HostConfig("box", bucket=shelf.bucket)
    else:
        assert isinstance(shelf, InFolder)
        host = HostConfig("box", inbox=shelf.folder)
    return Machines(config_of(folder, folder / "no-ssh", host._replace(**changes)))


def said(reports: Mapping[str, HostReport]) -> dict[str, str | None]:
    return {host: report.error for host, report in reports.items()}


def emptied(folder: Path) -> None:
    shutil.rmtree(folder)
