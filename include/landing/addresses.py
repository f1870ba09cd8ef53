"""Where a source delivers: a folder, a PostgreSQL database, or a function that makes the delivery and says where it is."""

from __future__ import annotations

import importlib
from datetime import date

from include.errors import UsageError
from include.settings import mask_secrets

FUNCTION = "python:"


def resolve(source: str, address: str | None, business_date: date) -> str:
    """The folder or database to read. `python:package.module:function` is called with the name of the source and the date.

    Such a function is for a source that neither lies in a folder nor in PostgreSQL: it fetches or makes the delivery of the
    date and returns its address; what it has as `arguments`, a function of nothing, tells with which arguments of ./kaw run
    it delivers the same again. Raises UsageError where there is no address or no such function.
    """
    variable = f"KAW_SOURCE_{source.upper()}"
    if address is None:
        raise UsageError(
            f"There is no address of the source {source}.",
            where=variable,
            next_step="set it to a folder, to a postgresql:// address, or to python:package.module:function.",
        )
    if not address.startswith(FUNCTION):
        return address
    try:
        deliver = _function(address)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(
            f"The function that delivers the source {source} is not there: {error}.",
            where=f"{variable}={address}",
            next_step="write it like python:package.module:function, with a package that Python finds.",
        ) from error
    return deliver(source, business_date)


def told(address: str) -> str:
    """An address as receipts keep it: without its password, a function's with its arguments."""
    if not address.startswith(FUNCTION):
        return mask_secrets(address)
    arguments = getattr(_function(address), "arguments", lambda: "")()
    return f"{address} {arguments}".rstrip()


def _function(address: str):
    module_name, _, name = address.removeprefix(FUNCTION).partition(":")
    return getattr(importlib.import_module(module_name), name)
