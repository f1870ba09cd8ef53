"""Where a rule's source leads: to a standard by its number, a requirement, a worked example, a seed, a contract, a file, or to the
statement that the rule is this project's own."""

from __future__ import annotations

import re
from pathlib import Path

from include.contracts import load_contracts

ROOT = Path(__file__).parents[3]
STANDARDS = {
    "California VEE": "California Public Utilities Commission, Direct Access Standards for Metering and Meter Data: validating, editing and"
    " estimating of interval data",
    "GB/T 15543-2008": "Power quality, three-phase voltage unbalance (电能质量 三相电压不平衡)",
    "GB 32100-2015": "Unified social credit code of organisations (法人和其他组织统一社会信用代码编码规则)",
    "DL/T 836.1-2016": "Reliability of power supply systems, part 1 (供电系统供电可靠性评价规程 第1部分：通用要求)",
    "IEEE 1366": "Guide for Electric Power Distribution Reliability Indices",
    "(83) 水电财字第215号": "Adjustment of electricity charges by power factor (功率因数调整电费办法), 1983",
    "发改价格〔2023〕526号": "Transmission and distribution prices of provincial grids, third period (第三监管周期省级电网输配电价), 2023",
    "供电营业规则 (1996)": "Rules of power supply business (供电营业规则), 1996",
}
_REFERENCE = re.compile(
    "|".join(
        [
            *(f"(?P<standard_{n}>{re.escape(name)})" for n, name in enumerate(STANDARDS)),
            r"(?P<own>project rule)",
            r"(?P<requirement>requirement S\d\d\b)",
            r"(?P<example>worked examples? O\d+\b(?: and O\d+\b)?)",
            r"seed (?P<seed>[a-z_]+)",
            r"contract of (?:the (?P<system>\w+)|each) system",
            r"(?P<path>\b(?:include|dbt_project|docs)/[\w./-]*\w)",
        ]
    )
)


def linked(source: str) -> str:
    """The source with a link on each part of it that leads somewhere, as Markdown of a page in `docs/reference/`."""
    return _REFERENCE.sub(lambda found: f"[{found[0]}]({_address(found)})", source)


def unfollowed(source: str) -> str | None:
    """Why a reader cannot follow this source, None where its first words lead somewhere and all that it names is there."""
    if not _REFERENCE.match(source):
        return (
            "begins with none of: a standard of STANDARDS, project rule, requirement Snn, worked example Onn,"
            " seed NAME, contract of the NAME system, a path in the repository"
        )
    for found in _REFERENCE.finditer(source):
        address = _address(found)
        file = ROOT / "docs" / "reference" / address.partition("#")[0] if not address.startswith("#") else None
        if file and not file.exists():
            return f"names {found[0]}, which is not there"
        if found["requirement"] or found["example"]:
            text = file.read_text(encoding="utf-8")
            for number in re.findall(r"[SO]\d+", found[0]):
                if not re.search(rf"\b{number}\b", text):
                    return f"names {number}, which docs/reference/requirements.md does not have"
    return None


def _address(found: re.Match) -> str:
    if found["requirement"] or found["example"]:
        return "requirements.md"
    if name := found["seed"]:
        seed = next((ROOT / "dbt_project" / "seeds").glob(f"*/{name}.csv"), Path(f"{name}.csv"))
        return f"../../{seed.relative_to(ROOT)}" if seed.is_absolute() else str(seed)
    if found["path"]:
        return f"../../{found['path']}"
    if name := found["system"]:
        return f"../../include/contracts/{name}.odcs.yaml" if name in load_contracts() else f"{name}.odcs.yaml"
    if found[0].startswith("contract of each"):
        return "contracts.md"
    return "#where-the-rules-come-from"
