"""Renders a rule's SQL with the macros of the dbt project, so that a business fact is written once for models and rules.

Jinja reads the files of `dbt_project/macros` itself; no dbt is loaded. Every macro is at hand, but one that asks dbt for
something (`ref`, `source`, `business_date`) fails in a rule: nothing of dbt's context is defined here.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, TemplateError

MACROS = Path(__file__).parents[2] / "dbt_project" / "macros"


@cache
def render(query: str) -> str:
    """The SQL with its macros written out; Jinja needs milliseconds for each, and a gate asks for every rule several times.

    Raises `ValueError`, which says what is wrong: a name that is not defined, or Jinja that cannot be read.
    """
    try:
        return _environment().from_string(query).render()
    except TemplateError as error:
        raise ValueError(error.message) from None
    except TypeError as error:  # a macro that is called with another number of arguments
        raise ValueError(str(error)) from None


@cache
def _environment() -> Environment:
    """An environment that knows all macros. They are read as one text: Jinja looks a macro's names up where it stands."""
    environment = Environment(undefined=StrictUndefined, extensions=["jinja2.ext.do"])
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(MACROS.glob("*.sql")))
    module = environment.from_string(text).module
    environment.globals |= {name: macro for name, macro in vars(module).items() if not name.startswith("_")}
    return environment
