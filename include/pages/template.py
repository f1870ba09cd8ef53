"""The pages' HTML, in the dress of the auditors' report."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from include.settings import TIMEZONE

FOLDERS = (Path(__file__).parent, Path(__file__).parents[1] / "report" / "second_edition")  # the second for the style


WORDS = {  # what the records call things, in Chinese; other codes are those of dim_codes or names
    "published": "已发布",
    "blocked": "已阻断",
    "failed": "失败",
    "running": "运行中",
    "passed": "通过",
    "refused": "拒收",
    "landed": "已入库",
    "duplicate": "重复",
    "no delivery": "未交付",
    "not due daily": "非每日交付",
    "block": "阻断",
    "quarantine": "隔离",
    "warn": "警告",
    "in force": "生效",
    "withdrawn": "已撤回",
    "expired": "已到期",
    "open": "未关闭",
    "waived": "已豁免",
    "changed": "有变化",
    "dependant": "从属问题",
    "fixed": "已整改",
    "all": "全部",
    "warning": "警告",
    "clean": "无问题",
    "not tested": "未检验",
    "gate 1": "第1道关口",
    "gate 2": "第2道关口",
    "metering": "计量",
    "marketing": "营销",
    "contract": "合同",
    "marts": "数据集市",
    "metering office": "计量部门",
    "marketing office": "营销部门",
    "contract office": "合同部门",
    "data quality office": "数据质量部门",
    "data engineering": "数据工程",
    "data warehouse": "数据仓库",
}


def page(name: str, language: str, **content) -> str:
    """The page of this name; every value is text, whatever brackets a source delivered in it."""
    is_chinese = language == "zh"
    words = {
        "lang": "zh-CN" if is_chinese else "en",
        "b": lambda en, zh: zh if is_chinese else en,
        "w": lambda text: WORDS.get(text, text) if is_chinese else text,
    }
    return _templates().get_template(f"{name}.html.j2").render(words | content)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDERS),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"number": _number, "minute": _minute, "plain": _plain}
    return environment


def _number(value) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _minute(value: datetime | None) -> str:
    return "–" if value is None else value.astimezone(TIMEZONE).strftime("%Y-%m-%d %H:%M")


def _plain(value) -> str:
    if value is None:
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())
    return value.isoformat() if isinstance(value, date) else str(value)
