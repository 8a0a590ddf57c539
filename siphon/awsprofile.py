"""Profiles of AWS's own tools: ~/.aws/credentials and ~/.aws/config.

Keys, and what a `credential_process` answers; for one that needs more (SSO, roles) the way out is told.
"""

import configparser
import json
import shlex
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from siphon.errors import SiphonError

_PROCESS_SECONDS = 60


class Profile(NamedTuple):
    """A profile that can tell its keys."""

    name: str
    values: Mapping[str, str]

    @property
    def region(self) -> str | None:
        return self.values.get("region")

    @property
    def endpoint(self) -> str | None:
        return self.values.get("endpoint_url")

    def credentials(self) -> dict[str, Any]:
        """The keys, as obstore takes them. Raises SiphonError."""
        command = self.values.get("credential_process")
        if "aws_access_key_id" in self.values or command is None:
            return {
                "access_key_id": self.values["aws_access_key_id"],
                "secret_access_key": self.values["aws_secret_access_key"],
                "token": self.values.get("aws_session_token"),
                "expires_at": None,
            }
        return _told(self.name, command)


def profile_of(home: Path, environ: Mapping[str, str], name: str | None) -> Profile | None:
    """The profile of that name; without one that of $AWS_PROFILE, or the default one if there is one."""
    wanted = name or environ.get("AWS_PROFILE") or "default"
    values = _values(home, environ, wanted)
    keys = {"aws_access_key_id", "aws_secret_access_key"}
    if keys <= values.keys() or "credential_process" in values:
        return Profile(wanted, values)
    if name is None and "AWS_PROFILE" not in environ:
        return None
    if not values:
        raise SiphonError(f"no profile {wanted!r} in ~/.aws/credentials or ~/.aws/config")
    how = f"aws configure export-credentials --profile {wanted} --format env"
    raise SiphonError(
        f"profile {wanted!r} has no keys of its own (SSO, a role?); put them into the environment: "
        f'eval "$({how})"'
    )


def _values(home: Path, environ: Mapping[str, str], name: str) -> dict[str, str]:
    section = name if name == "default" else f"profile {name}"
    config = _section(_file(home, environ, "AWS_CONFIG_FILE", "config"), section)
    credentials = _file(home, environ, "AWS_SHARED_CREDENTIALS_FILE", "credentials")
    return {**config, **_section(credentials, name)}


def _file(home: Path, environ: Mapping[str, str], variable: str, usual: str) -> Path:
    named = environ.get(variable)
    if not named:
        return home / ".aws" / usual
    return home / named[2:] if named.startswith("~/") else Path(named)


def _section(file: Path, name: str) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError):
        # What the parser says quotes the line, which may be a key.
        raise SiphonError(f"{file}: cannot be read as an AWS profile file") from None
    return dict(parser.items(name)) if parser.has_section(name) else {}


def _told(name: str, command: str) -> dict[str, Any]:
    try:
        done = subprocess.run(
            shlex.split(command), capture_output=True, timeout=_PROCESS_SECONDS, check=True
        )
        told = json.loads(done.stdout)
        expires = told.get("Expiration")
        return {
            "access_key_id": told["AccessKeyId"],
            "secret_access_key": told["SecretAccessKey"],
            "token": told.get("SessionToken"),
            "expires_at": datetime.fromisoformat(expires) if expires else None,
        }
    except (OSError, ValueError, KeyError, AttributeError, subprocess.SubprocessError):
        # The answer holds keys: what went wrong is told without it.
        raise SiphonError(f"profile {name!r}: its credential_process gives no keys") from None
