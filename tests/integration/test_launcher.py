"""./kaw sets up its environment once, whatever was left of an earlier try, and hands over.

The trials use a clone with a lock file of one tiny package, made here; nothing is fetched.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).parent / "uv"  # of our own lock file
CLI = """
import os, sys
import tiny
print("args", sys.argv[1:], "in", os.getcwd(), "tiny", tiny.VALUE)
sys.exit(int(os.environ.get("CLI_EXIT", "0")))
"""


def make_clone(folder: Path) -> Path:
    """A clone with the real launcher and a lock file of one package that lies in the clone."""
    (folder / "include" / "local").mkdir(parents=True)
    shutil.copy(ROOT / "kaw", folder / "kaw")
    (folder / "include" / "__init__.py").touch()
    (folder / "include" / "local" / "__init__.py").touch()
    (folder / "include" / "local" / "cli.py").write_text(CLI)
    write_lock(folder, value=1)
    return folder


def write_lock(clone: Path, value: int, digest: str | None = None) -> None:
    wheel = clone / "wheels" / f"tiny-{value}-py3-none-any.whl"
    wheel.parent.mkdir(exist_ok=True)
    info = f"tiny-{value}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", f"VALUE = {value}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {value}\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", f"tiny.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = f"--no-index\n--find-links wheels\ntiny=={value} \\\n    --hash=sha256:{digest}\n"
    (clone / "requirements.lock").write_text(lock)


def command(clone: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(clone / "kaw"), *arguments]


def environment(clone: Path, with_uv: bool = True, **more: str) -> dict[str, str]:
    tools = clone / "tools"
    tools.mkdir(exist_ok=True)
    if with_uv and not (tools / "uv").exists():
        (tools / "uv").symlink_to(UV)
    path = f"{tools}:/usr/bin:/bin" if with_uv else "/usr/bin:/bin"
    return {"PATH": path, "HOME": str(clone), "UV_CACHE_DIR": str(clone / "cache"), **more}


def run(clone: Path, *arguments: str, cwd: Path | None = None, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(clone, *arguments),
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd or clone,
        env=environment(clone, **options),
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return make_clone(tmp_path / "clone")


def test_first_run_sets_up_and_hands_over_and_the_second_only_hands_over(clone, tmp_path):
    first = run(clone, "run", "--date", "2026-01-02", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stdout == f"args ['run', '--date', '2026-01-02'] in {tmp_path} tiny 1\n"
    assert "setting up" in first.stderr
    assert "1 packages of requirements.lock" in first.stderr
    second = run(clone, "sql", "select 1; --", cwd=tmp_path)
    assert second.stdout == f"args ['sql', 'select 1; --'] in {tmp_path} tiny 1\n"
    assert second.stderr == ""


def test_without_uv_pip_does_the_same(clone):
    done = run(clone, "run", with_uv=False)
    assert done.returncode == 0, done.stderr
    assert "by pip" in done.stderr
    assert "tiny 1" in done.stdout


def test_exit_code_of_the_command_comes_through(clone):
    assert run(clone, "run", CLI_EXIT="1").returncode == 1


def test_environment_of_another_lock_file_or_half_finished_is_built_anew(clone):
    assert "tiny 1" in run(clone).stdout
    write_lock(clone, value=2)
    changed = run(clone)
    assert "tiny 2" in changed.stdout
    assert "building it anew" in changed.stderr
    (clone / ".venv" / ".kaw-complete").unlink()
    shutil.rmtree(clone / ".venv" / "bin")
    assert "tiny 2" in run(clone).stdout


def test_environment_of_a_clone_that_was_moved_is_built_anew(clone):
    run(clone)
    moved = clone.rename(clone.with_name("moved"))
    write_lock(moved, value=1)
    assert "tiny 1" in run(moved).stdout
    assert (
        str(moved / ".venv")
        in (moved / ".venv" / "pyvenv.cfg").read_text() + (moved / ".venv/.kaw-complete").read_text()
    )


def test_set_up_that_was_killed_is_made_good_by_the_next(clone):
    setting_up = subprocess.Popen(
        command(clone), env=environment(clone, with_uv=False), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    for line in setting_up.stderr:
        if "virtual environment" in line:
            break
    time.sleep(0.5)
    os.killpg(setting_up.pid, signal.SIGKILL)
    setting_up.communicate()
    done = run(clone)
    assert done.returncode == 0, done.stderr
    assert "tiny 1" in done.stdout


def test_two_first_runs_at_once_set_up_once(clone):
    both = [
        subprocess.Popen(
            command(clone), env=environment(clone), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert all("tiny 1" in output for output, _ in told)
    assert sum("setting up " in errors and "1/3" in errors for _, errors in told) == 1


def test_package_that_is_not_the_one_of_the_lock_is_refused(clone):
    write_lock(clone, value=1, digest="0" * 64)
    done = run(clone)
    assert done.returncode == 3
    assert "Where: " in done.stderr
    assert "Next: " in done.stderr
    assert "Traceback" not in done.stderr
    assert "hash" in done.stderr.lower()
    assert not (clone / ".venv" / ".kaw-complete").exists()


def test_environment_may_lie_elsewhere(clone, tmp_path):
    done = run(clone, KAW_VENV=str(tmp_path / "elsewhere" / "venv"))
    assert "tiny 1" in done.stdout
    assert not (clone / ".venv").exists()


def test_a_clone_that_cannot_be_written_is_told_to_set_kaw_venv(clone):
    done = run(clone, KAW_VENV="/proc/kaw/venv")
    assert done.returncode == 3
    assert "Next: make the folder writable, or set KAW_VENV" in done.stderr
    assert "Traceback" not in done.stderr


def test_modules_in_the_current_folder_are_not_taken_for_ours(clone, tmp_path):
    run(clone)
    for name in ("include", "tiny"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the wrong one')")
    assert "tiny 1" in run(clone, cwd=tmp_path).stdout


def test_interrupt_while_setting_up_is_one_line(clone):
    setting_up = subprocess.Popen(
        command(clone),
        env=environment(clone, with_uv=False),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # ignored in a shell's background
    )
    setting_up.stderr.readline()
    time.sleep(0.3)
    os.killpg(setting_up.pid, signal.SIGINT)
    _, errors = setting_up.communicate(timeout=60)
    assert setting_up.returncode == 130
    assert errors.splitlines()[-1].startswith("interrupted")
    assert "Traceback" not in errors


def test_an_old_python_is_told_which_one_is_needed(clone):
    pretend = (
        "import runpy, sys; sys.version_info = (3, 9, 18, 'final', 0); sys.version = '3.9.18 (main)'; "
        f"sys.argv = [{str(clone / 'kaw')!r}, 'run']; runpy.run_path({str(clone / 'kaw')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", pretend], capture_output=True, text=True, env=environment(clone, KAW_PYTHON_TRIED="1")
    )
    assert done.returncode == 2
    assert "kaw needs Python 3.11 or newer; this one is 3.9.18." in done.stderr
    assert "Traceback" not in done.stderr


def test_launcher_is_readable_by_an_old_python_and_needs_nothing_installed():
    source = (ROOT / "kaw").read_text()
    tree = ast.parse(source, feature_version=(3, 6))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= sys.stdlib_module_names
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not re.search(r"https?://", source)
    assert os.access(ROOT / "kaw", os.X_OK)


def test_an_ordinary_user_sets_up_a_clone_in_a_private_home(private_folder):
    """Root steps down to an ordinary account with a Python that this account can reach; others just run."""
    python, who = sys.executable, {}
    if os.geteuid() == 0:
        python, who = "/usr/bin/python3", {"user": 1, "group": 1, "extra_groups": []}
        version = subprocess.run(
            [python, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True, text=True
        )
        if version.stdout.strip() != "True":
            pytest.skip("python3.11 for every user")
    clone = make_clone(private_folder / "clone")
    tools = environment(clone, with_uv=False)
    shutil.copy(UV.resolve(), clone / "tools" / "uv")
    if who:
        for path in (private_folder, *private_folder.rglob("*")):
            os.chown(path, 1, 1, follow_symlinks=False)
    done = subprocess.run(
        [python, str(clone / "kaw"), "run"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd="/",
        env={**tools, "PATH": f"{clone / 'tools'}:/usr/bin:/bin"},
        **who,
    )
    assert done.returncode == 0, done.stderr
    assert "tiny 1" in done.stdout
