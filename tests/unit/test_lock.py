"""requirements.lock and docs/requirements.lock: one exact, hashed answer to requirements.txt beside it for every supported Python."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13")


@pytest.fixture(scope="module", params=[ROOT, ROOT / "docs"], ids=["kaw", "docs"])
def lock(request) -> Path:
    return request.param / "requirements.lock"


@pytest.fixture(scope="module")
def locked(lock: Path) -> list[tuple[Requirement, list[str]]]:
    """Every entry of the lock with its hashes; a package has several entries where Pythons or systems differ."""
    entries = []
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock.read_text()):
        lines = [line for line in block.splitlines() if not line.lstrip().startswith("#")]
        text = " ".join(line.removesuffix("\\").strip() for line in lines)
        if "==" in text:
            entries.append((Requirement(text.split("--hash")[0].strip()), re.findall(r"--hash=(\S+)", text)))
    return entries


@pytest.fixture(scope="module")
def direct(lock: Path) -> list[Requirement]:
    lines = [line.split("#")[0].strip() for line in lock.with_suffix(".txt").read_text().splitlines()]
    return [Requirement(line) for line in lines if line]


def test_every_entry_is_exact_and_has_hashes(locked):
    assert len(locked) > 30
    for requirement, hashes in locked:
        assert [specifier.operator for specifier in requirement.specifier] == ["=="], requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), requirement


def test_lock_and_requirements_name_no_index_or_address(lock):
    for path in (lock, lock.with_suffix(".txt")):
        text = path.read_text()
        assert not re.search(r"://|--index|--extra-index|--find-links|--trusted-host| @ ", text), path.name


@pytest.mark.parametrize("python", PYTHONS)
def test_every_direct_requirement_is_pinned_to_a_version_that_it_allows(direct, locked, python):
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    pinned = {
        canonicalize_name(requirement.name): str(requirement.specifier).removeprefix("==")
        for requirement, _ in locked
        if requirement.marker is None or requirement.marker.evaluate(environment)
    }
    for requirement in direct:
        version = pinned.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not in the lock for Python {python}"
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement} is locked to {version}"


def test_no_python_gets_two_versions_of_a_package(locked):
    for python in PYTHONS:
        environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
        names = [
            canonicalize_name(requirement.name)
            for requirement, _ in locked
            if requirement.marker is None or requirement.marker.evaluate(environment)
        ]
        assert sorted(names) == sorted(set(names)), python


def test_every_upper_bound_says_why_it_is_there(lock):
    for line in lock.with_suffix(".txt").read_text().splitlines():
        if "<" in line.split("#")[0]:
            assert "#" in line, line


def test_lock_was_resolved_for_every_python_and_the_oldest_supported_one(lock):
    head = "\n".join(lock.read_text().splitlines()[:3])
    assert "--universal" in head
    assert "--generate-hashes" in head
    assert "--python-version 3.11" in head
    assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text()
