"""An SSH server as Windows has it: a shell that is none of ours, SFTP below /C:, names in any case."""

import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
from paramiko import SFTPAttributes, SFTPHandle, SFTPServer, SFTPServerInterface

CMD = (
    b"'sh' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n"
)


class _Drive(SFTPServerInterface):  # type: ignore[misc]  # paramiko's server half has no types
    """C: is a folder; whoever asks to write is refused, and it is noted."""

    root: Path
    written: list[str]
    lies: list[str]

    def canonicalize(self, path: str) -> str:
        if path in ("", "."):
            path = "/C:/Users/Me"
        parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
        return "/" + "/".join(parts)

    def lstat(self, path: str) -> SFTPAttributes | int:
        try:
            return _attributes(self._real(path))
        except OSError as error:
            return int(SFTPServer.convert_errno(error.errno or 0))

    stat = lstat

    def list_folder(self, path: str) -> list[SFTPAttributes] | int:
        try:
            found = [_attributes(entry) for entry in self._real(path).iterdir()]
        except OSError as error:
            return int(SFTPServer.convert_errno(error.errno or 0))

        return [*found, *(_lie(name) for name in self.lies)]

    def open(self, path: str, flags: int, attr: SFTPAttributes) -> SFTPHandle | int:  # noqa: ARG002
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            return self._refuse(path)
        try:
            handle = SFTPHandle(flags)
            handle.readfile = self._real(path).open("rb")
        except OSError as error:
            return int(SFTPServer.convert_errno(error.errno or 0))
        return handle

    def _refuse(self, path: str, *_: object) -> int:
        self.written.append(path)
        return int(paramiko.SFTP_PERMISSION_DENIED)

    remove = rename = posix_rename = mkdir = rmdir = chattr = symlink = _refuse

    def _real(self, path: str) -> Path:
        """The file, found in any case."""
        here = self.root
        for part in self.canonicalize(path).strip("/").split("/"):
            named = {entry.name.lower(): entry for entry in here.iterdir()} if part else {}
            here = named.get(part.lower(), here / part)
        return here


def _attributes(path: Path) -> SFTPAttributes:
    status = path.lstat()
    found = SFTPAttributes.from_stat(status, path.name)
    found.st_uid = found.st_gid = 0  # as Windows' own sftp-server says
    kinds = {stat.S_IFDIR: 0o40777, stat.S_IFLNK: 0o120777}
    found.st_mode = kinds.get(stat.S_IFMT(status.st_mode), 0o100666)
    return found


def _lie(name: str) -> SFTPAttributes:
    found = SFTPAttributes()
    found.filename, found.st_size, found.st_mode, found.st_uid, found.st_gid = name, 4, 0o100666, 0, 0
    found.st_atime = found.st_mtime = 1
    return found


class _Server(paramiko.ServerInterface):
    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:  # noqa: ARG002
        return int(paramiko.AUTH_SUCCESSFUL)

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
        return int(paramiko.OPEN_SUCCEEDED)

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:  # noqa: ARG002
        def answer() -> None:
            channel.sendall_stderr(CMD)
            channel.send_exit_status(1)
            channel.close()

        threading.Thread(target=answer, daemon=True).start()
        return True


class WindowsHost:
    """A running server: its port, its drive, what somebody wanted to write, and names it makes up."""

    def __init__(self, folder: Path) -> None:
        self.drive = folder / "drive"
        self.home = self.drive / "C:" / "Users" / "Me"
        self.home.mkdir(parents=True)
        self.written: list[str] = []
        self.lies: list[str] = []
        self.key = paramiko.RSAKey.generate(2048)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    def serve(self) -> None:
        drive = type(
            "Drive", (_Drive,), {"root": self.drive, "written": self.written, "lies": self.lies}
        )
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            transport = paramiko.Transport(client)
            transport.add_server_key(self.key)
            transport.set_subsystem_handler("sftp", SFTPServer, drive)
            transport.start_server(server=_Server())

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextmanager
def windows_host(folder: Path) -> Iterator[WindowsHost]:
    """Start one; its home is C:\\Users\\Me."""
    host = WindowsHost(folder)
    thread = threading.Thread(target=host.serve, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        host.close()
        thread.join()
