"""Where plugins/, notebooks/ and metadata.yml lie: beside the package, or (from a wheel) inside it."""

from pathlib import Path

from siphon.errors import SiphonError


def assets() -> Path:
    """The folder that holds them. Raises SiphonError if the installation lacks them."""
    package = Path(__file__).resolve().parent
    for folder in (package.parent, package / "_assets"):
        if (folder / "metadata.yml").is_file() and (folder / "plugins").is_dir():
            return folder
    raise SiphonError(f"{package}: metadata.yml and plugins/ are missing; install siphon again")
