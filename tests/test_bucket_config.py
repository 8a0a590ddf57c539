"""Buckets in siphon.yml: keys, secrets, profiles, and what is said when a bucket answers badly."""

import pickle
import re
from pathlib import Path

import pytest

from conftest import CHECKOUT
from siphon.awsprofile import profile_of
from siphon.bucket import Bucket, opened, parsed, with_options
from siphon.bucketerrors import reason
from siphon.config import HostConfig, load_config
from siphon.doctor import configuration
from siphon.errors import SiphonError
from siphon.etag import Digest


def hosts(text: str, folder: Path, mode: int = 0o600) -> tuple[HostConfig, ...]:
    file = folder / "siphon.yml"
    file.write_text(f"hosts:\n{text}")
    file.chmod(mode)
    return load_config(file, {"HOME": str(folder)}, folder).hosts


def complaint(text: str, folder: Path) -> str:
    with pytest.raises(SiphonError) as caught:
        hosts(text, folder)
    return str(caught.value).removeprefix(f"{folder}/")


def test_every_kind_of_bucket_and_an_inbox(tmp_path: Path) -> None:
    text = """
      a: {s3: s3://team-logs/siphon/, region: eu-central-1, profile: logs}
      b:
        s3: s3://x
        endpoint: http://minio:9000
        access_key_id: ID
        secret_access_key: KEY
        session_token: T
      c: {gs: gs://team/logs, service_account: /etc/key.json}
      d: {az: az://box, account: team, sas_token: '?sv=1'}
      e: {inbox: ~/inbox}
      f: {inbox: pushed, sources: [codex]}
    """
    found = hosts(text, tmp_path)
    assert [(host.transport, host.bucket) for host in found[:4]] == [
        (
            "bucket",
            Bucket("s3", "team-logs", "siphon", (("region", "eu-central-1"), ("profile", "logs"))),
        ),
        (
            "bucket",
            Bucket(
                "s3",
                "x",
                "",
                (
                    ("endpoint", "http://minio:9000"),
                    ("access_key_id", "ID"),
                    ("secret_access_key", "KEY"),
                    ("session_token", "T"),
                ),
            ),
        ),
        ("bucket", Bucket("gs", "team", "logs", (("service_account", "/etc/key.json"),))),
        ("bucket", Bucket("az", "box", "", (("account_name", "team"), ("sas_key", "?sv=1")))),
    ]
    assert [(host.transport, host.inbox, host.sources) for host in found[4:]] == [
        ("inbox", tmp_path / "inbox", None),
        ("inbox", tmp_path / "pushed", ("codex",)),
    ]


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("{s3: team-logs}", "'team-logs' names no bucket; s3://BUCKET/FOLDER, "),
        ("{s3: s3://a/../b}", "'s3://a/../b' names no bucket"),
        ("{s3: gs://a}", "'s3: gs://a': write it as 'gs: gs://a'"),
        ("{s3: s3://a, secret_access_key: K}", "'secret_access_key' goes with 'access_key_id'"),
        ("{s3: s3://a, session_token: K}", "'session_token' goes with 'access_key_id'"),
        ("{s3: s3://a, ssh: b}", "host 'a' has both 'ssh' and 's3'; drop one"),
        ("{home: /, region: x}", "host 'a': 'region' goes with 's3'; add 's3: …' or drop it"),
        ("{gs: gs://a, account: x}", "host 'a': 'account' goes with 'az'; add 'az: …' or drop it"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, host: str, said: str) -> None:
    assert said in complaint(f"  a: {host}", tmp_path)
    assert complaint(f"  a: {host}", tmp_path).startswith("siphon.yml:2: ")


def test_secrets_are_not_printed_and_a_file_that_shows_them_is_told(tmp_path: Path) -> None:
    text = "  a: {s3: s3://b, access_key_id: ID, secret_access_key: hush, session_token: psst}"
    (host,) = hosts(text, tmp_path)
    assert "hush" not in repr(host) and "psst" not in repr(host)
    assert pickle.loads(pickle.dumps(host)) == host
    assert host.bucket is not None and host.bucket.exposed is None
    (shown,) = hosts(text, tmp_path, mode=0o644)
    assert shown.bucket is not None and shown.bucket.exposed == tmp_path / "siphon.yml"
    (open_,) = hosts("  a: {s3: s3://b, profile: p}", tmp_path, mode=0o644)
    assert open_.bucket is not None and open_.bucket.exposed is None


def test_options_of_a_command_line() -> None:
    found = with_options(parsed("s3://b"), endpoint="https://r2", region=None, profile=None)
    assert found == Bucket("s3", "b", "", (("endpoint", "https://r2"),))
    with pytest.raises(SiphonError, match="--region does not go with az://"):
        with_options(parsed("az://b"), region="x")


CONFIG = """
[default]
region = eu-west-1
[profile sso]
sso_session = team
[profile told]
credential_process = sh -c "echo '{\\"AccessKeyId\\": \\"T\\", \\"SecretAccessKey\\": \\"U\\"}'"
[profile silent]
credential_process = false
"""
CREDENTIALS = """
[default]
aws_access_key_id = A
aws_secret_access_key = B
[other]
aws_access_key_id = C
aws_secret_access_key = D
aws_session_token = E
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text(CONFIG)
    (tmp_path / ".aws/credentials").write_text(CREDENTIALS)
    return tmp_path


def keys(home: Path, environ: dict[str, str], name: str | None) -> tuple[str, str, str | None]:
    profile = profile_of(home, environ, name)
    assert profile is not None
    told = profile.credentials()
    return told["access_key_id"], told["secret_access_key"], told["token"]


def test_profiles_are_those_of_awss_own_tools(home: Path, tmp_path: Path) -> None:
    assert keys(home, {}, None) == ("A", "B", None)
    assert keys(home, {"AWS_PROFILE": "other"}, None) == ("C", "D", "E")
    assert keys(home, {"AWS_PROFILE": "other"}, "default") == ("A", "B", None)
    assert keys(home, {}, "told") == ("T", "U", None)
    default = profile_of(home, {}, None)
    assert default is not None and default.region == "eu-west-1"
    assert profile_of(tmp_path / "nobody", {}, None) is None
    moved = {"AWS_SHARED_CREDENTIALS_FILE": str(home / "moved")}
    (home / "moved").write_text(CREDENTIALS.replace("= A", "= M"))
    assert keys(home, moved, None) == ("M", "B", None)


def test_a_profile_that_cannot_be_had_is_told_with_the_way_out(home: Path) -> None:
    with pytest.raises(SiphonError, match="no profile 'nope' in"):
        profile_of(home, {}, "nope")
    with pytest.raises(SiphonError, match="aws configure export-credentials --profile sso"):
        profile_of(home, {"AWS_PROFILE": "sso"}, None)
    silent = profile_of(home, {}, "silent")
    assert silent is not None
    with pytest.raises(SiphonError, match="'silent': its credential_process gives no keys"):
        silent.credentials()
    (home / ".aws/credentials").write_text("aws_secret_access_key = hush\n")
    with pytest.raises(SiphonError) as caught:
        profile_of(home, {}, None)
    assert "hush" not in str(caught.value) and caught.value.__cause__ is None


def test_what_a_store_cannot_be_made_of_is_told(home: Path) -> None:
    with pytest.raises(SiphonError, match=r"az://box: name 'account', or set AZURE_"):
        opened(parsed("az://box"), home, {})


def test_a_reason_holds_no_key() -> None:
    url = "https://a.blob.core.windows.net/c?comp=list&sig=SECRET%3D"
    error = OSError(
        f"Generic MicrosoftAzure error: Error performing GET {url} in 3ms - no luck\n\nDebug"
    )
    assert reason(error) == "Error performing GET https://a.blob.core.windows.net/c in 3ms - no luck"
    error = OSError(
        "Generic S3 error: Error performing GET http://x/y in 1s - Server returned non-2xx status code: "
        '403 Forbidden: <?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>'
    )
    assert reason(error).startswith("access denied (AccessDenied); credentials: ")


def test_an_etag_is_believed_only_where_it_is_made_of_the_bytes() -> None:
    import hashlib

    data = bytes(range(256)) * 50_000  # 12.8 MB: 3 parts of 5 MiB, 2 of 8 MiB
    md5 = hashlib.md5(data).hexdigest()

    def of(size: int) -> str:
        parts = [hashlib.md5(data[at : at + size]).digest() for at in range(0, len(data), size)]
        return f"{hashlib.md5(b''.join(parts)).hexdigest()}-{len(parts)}"

    def agrees(etag: str | None) -> bool:
        digest = Digest(etag, len(data))
        for at in range(0, len(data), 1_000_003):
            digest.feed(data[at : at + 1_000_003])
        return digest.agrees()

    assert [agrees(etag) for etag in (md5, of(5 << 20), of(8 << 20), of(7 << 20))] == [True] * 4
    wrong = (None, "0x8DC0FFEE", "0" * 32, md5.upper(), f"{md5}-1", of(5 << 20)[:-1] + "2", "0-0")
    assert [agrees(etag) for etag in wrong] == [False] * len(wrong)


def test_every_example_of_the_page_is_right(tmp_path: Path) -> None:
    page = (CHECKOUT / "docs/buckets.md").read_text()
    examples = re.findall(r"^```yaml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert len(examples) >= 6
    found = []
    for number, example in enumerate(examples):
        (tmp_path / f"{number}.yml").write_text(example)
        hosts = load_config(tmp_path / f"{number}.yml", {"HOME": str(tmp_path)}, tmp_path).hosts
        found += [host.bucket.kind for host in hosts if host.bucket]
        found += ["inbox" for host in hosts if host.inbox]
    assert set(found) == {"s3", "gs", "az", "inbox"}


def test_the_doctor_tells_of_keys_that_others_can_read_and_of_an_inbox_that_is_not_there(
    tmp_path: Path,
) -> None:
    (tmp_path / "siphon.yml").write_text(
        "hosts:\n  a: {s3: s3://b, access_key_id: ID, secret_access_key: hush}\n  b: {inbox: nowhere}\n"
    )
    (tmp_path / "siphon.yml").chmod(0o640)
    config = load_config(tmp_path / "siphon.yml", {"HOME": str(tmp_path)}, tmp_path)
    found = [(one.level, one.host, one.what) for one in configuration(config, 0) if one.level != "ok"]
    file, inbox = tmp_path / "siphon.yml", tmp_path / "nowhere"
    assert found == [
        ("warning", "a", f"{file} holds a key of the bucket and others can read it: chmod 600 it"),
        ("error", "b", f"{inbox} is not there: make that folder, or nobody can push into it"),
    ]
