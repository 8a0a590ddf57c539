"""The wheel carries the whole product: installed elsewhere, `siphon` works from any folder."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from conftest import CHECKOUT

UV = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    assert UV is not None, "uv is not installed; `make test` installs it"
    subprocess.run([UV, "build", "--quiet", "--wheel", "--out-dir", folder, CHECKOUT], check=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_pages_notebooks_sql_and_prices(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = [
        "siphon/schema.sql",
        "siphon/prices.json",
        "siphon/_assets/metadata.yml",
        *(
            f"siphon/_assets/{path.relative_to(CHECKOUT).as_posix()}"
            for folder in ("plugins", "notebooks")
            for path in (CHECKOUT / folder).rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        ),
    ]
    assert len(wanted) > 5
    assert [name for name in wanted if name not in names] == []


def test_an_installed_siphon_works_from_any_folder(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run([UV, "pip", "install", "--quiet", "--python", python, wheel], check=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home")}
    siphon = environment / "bin" / "siphon"

    def run(*words: str) -> str:
        done = subprocess.run([siphon, *words], cwd=elsewhere, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("demo", "--no-serve", "--keep", str(elsewhere / "demo"))
    config = ("--config", str(elsewhere / "demo" / "siphon.yml"))
    found = json.loads(run(*config, "sessions", "--json"))
    assert found
    assert json.loads(run(*config, "status", "--json"))
