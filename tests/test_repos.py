"""One name for all forms of a remote; folders found in logs, however their bytes come."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siphon.repos import Folders, normalise


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/Owner/name.git",
        "https://github.com/Owner/name",
        "https://github.com/Owner/name/",
        "http://GitHub.com/Owner/name.git",
        "https://user:secret@github.com/Owner/name.git",
        "https://ghp_secret@github.com:443/Owner/name.git?x=1#y",
        "git://github.com/Owner/name.git",
        "ssh://git@github.com/Owner/name.git",
        "ssh://git@github.com:22/Owner/name.git",
        "git+ssh://git@github.com/Owner/name.git",
        "git@github.com:Owner/name.git",
        "git@github.com:/Owner/name.git",
        "github.com:Owner/name",
        " git@github.com:Owner/name.git\n",
    ],
)
def test_all_forms_of_one_remote_give_one_name(url: str) -> None:
    assert normalise(url) == "github.com/Owner/name"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("git@gitlab.com:group/sub/name.git", "gitlab.com/group/sub/name"),
        ("ssh://git@[::1]:2222/o/n.git", "::1/o/n"),
        ("https://org@dev.azure.com/org/project/_git/repo", "dev.azure.com/org/project/repo"),
        ("git@ssh.dev.azure.com:v3/org/project/repo", "dev.azure.com/org/project/repo"),
        ("https://host/a%20b/c", "host/a b/c"),
    ],
)
def test_other_forges(url: str, name: str) -> None:
    assert normalise(url) == name


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/srv/git/name.git",
        "../name",
        "file:///srv/name.git",
        "C:\\code\\name",
        "https://github.com/",
        "x",
    ],
)
def test_what_names_no_other_machine_is_no_repository(url: str) -> None:
    assert normalise(url) is None


LOG = b"".join(
    json.dumps({"type": "user", "cwd": cwd, "text": '{"cwd":"/inside/a/string"}'}).encode() + b"\n"
    for cwd in (
        "/home/me/one",
        "/home/me/one",
        '/a "quoted" one',
        "/tab\tbed",
        "relative",
        "/é",
        "/x" * 300,
    )
).replace(b'"cwd": "/\\u00e9"', b'"cwd":"/\\u00e9"')
FOLDERS = sorted(["/home/me/one", "/é", "/x" * 300])


@given(st.lists(st.integers(0, len(LOG)), max_size=6))
def test_folders_are_found_wherever_the_blocks_are_cut(cuts: list[int]) -> None:
    folders = Folders()
    ends = [0, *sorted(cuts), len(LOG)]
    for start, end in itertools.pairwise(ends):
        folders.feed(LOG[start:end])
    folders.end()
    assert [folder for folder in folders.found() if '"' not in folder] == FOLDERS


def test_a_name_does_not_reach_from_one_log_into_the_next() -> None:
    folders = Folders()
    folders.feed(b'{"cwd":"/a')
    folders.end()
    folders.feed(b'b"}')
    assert folders.found() == []
