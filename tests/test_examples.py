"""Every example that a command's help prints runs as printed."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from siphon.cli import run, siphon
from siphon.demo import demo

# These serve for good, log in, or need another machine: their words are parsed, and no more.
PARSED = ("up", "serve", "demo", "push", "service", "auth", "restore", "hosts", "init", "watch")
FINE = (0, 3, 4)  # 3 and 4: what `siphon budget` found
_LINE = re.compile(r"^(?:.*?: {2,}|(?:an?|the) \w+ {2,})?\s*(siphon [^\s].*)$")


def commands(
    command: click.Command, context: click.Context, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command, click.Context]]:
    yield words, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, click.Context(below, context, name), (*words, name))


def examples() -> list[str]:
    """The lines of all help texts that begin a command, without what is said beside them."""
    found = []
    for _, command, context in commands(siphon, click.Context(siphon, info_name="siphon")):
        for line in command.get_help(context).splitlines():
            match = _LINE.match(line)
            if match and not line.lstrip().startswith("Usage:"):
                text = re.split(r" {2,}", match[1])[0]
                found += [part.strip() for part in text.split("&&")]
    return list(dict.fromkeys(found))


EXAMPLES = examples()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a made-up fleet's configuration, budgets, and a price list to take in."""
    folder = tmp_path_factory.mktemp("examples") / "fleet"
    demo(port=0, keep=folder, listen=False)
    with (folder / "siphon.yml").open("a") as file:
        file.write("budgets:\n  all: {daily: 50, monthly: 600}\n")
    entry = {
        "litellm_provider": "xai", "mode": "chat", "input_cost_per_token": 1e-6,
        "output_cost_per_token": 2e-6,
    }  # fmt: skip
    (folder / "model_prices_and_context_window.json").write_text(json.dumps({"xai/grok-99": entry}))
    return folder


def test_examples_are_found_in_most_helps() -> None:
    assert len(EXAMPLES) > 25
    assert {"siphon budget", "siphon reprice", "siphon usage"} <= set(EXAMPLES)


def test_every_example_runs_as_printed(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("HOME", str(place))
    failed = []
    for example in EXAMPLES:
        words = shlex.split(example)[1:]
        if words[0] in PARSED:
            command = siphon.get_command(click.Context(siphon), words[0])
            assert command is not None, example
            command.make_context(words[0], words[1:])
            continue
        if words[:2] == ["prices", "forget"]:
            run(["prices", "set", words[2], "--input", "1", "--output", "1"])
        code = run(words)
        said = capsys.readouterr().err
        if code not in FINE or "Traceback" in said:
            failed.append((example, code, said[-300:]))
    assert failed == []
