"""The rows that a row refers to, in SQL: `bill_no.due_on` is the due date of the bill that a row names in bill_no.

Where the target has validity, the row in force on the row's own day counts: the day of the fact, or for an archive the
business date, moved into the archive row's own validity. A target without validity is known as it is today: an archive row that
is over refers to none.
"""

from __future__ import annotations

from include.contracts import ACCOUNTS, Reference, Table, all_tables
from include.quality.made_rules import of_kind, trimmed
from include.transform.models import staging_relation

SETTLEMENT_ACCOUNTS = "mkt_account"  # says which accounts one payer pays for


class ReferredRows:
    """Joins a table's raw rows (alias `raw`) to the rows that they refer to; each row referred to is joined once."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._columns: dict[str, list[str]] = {}  # first column of the reference -> columns asked of its target

    def value(self, path: str) -> str:
        """SQL of an own column, or of a column of a row referred to, which is null where there is none."""
        own, _, theirs = path.partition(".")
        if not theirs:
            return f"raw.{own}"
        asked = self._columns.setdefault(own, [])
        if theirs not in asked:
            asked.append(theirs)
        return f"of_{own}.{theirs}"

    def physical_type(self, path: str) -> str:
        own, _, theirs = path.partition(".")
        table = all_tables()[reference_by(self.table, own).target_table] if theirs else self.table
        return table.column(theirs or own).physical_type

    @property
    def joins(self) -> list[str]:
        return [
            _join(self.table, reference_by(self.table, own), theirs, f"of_{own}")
            for own, theirs in self._columns.items()
        ]

    @property
    def targets(self) -> list[Table]:
        return [all_tables()[reference_by(self.table, own).target_table] for own in self._columns]

    @property
    def can_double(self) -> bool:
        """True where two rows of a target may be in force on one day, which other rules find."""
        return any(is_as_of(reference_by(self.table, own)) for own in self._columns)


def reference_by(table: Table, column: str) -> Reference:
    """The reference that begins with a column. Raises LookupError where there is none."""
    for reference in table.references:
        if reference.columns[0] == column:
            return reference
    raise LookupError(f"{table.name}.{column} refers to no table")


def is_as_of(reference: Reference) -> bool:
    return reference.match == "as_of" and all_tables()[reference.target_table].in_force is not None


def delivered(table: Table) -> str:
    """From-clause: `raw`, the raw rows behind all staged rows of a table."""
    return f"{table.raw_name} as raw inner join {staging_relation(table)} as staged on raw._raw_id = staged._raw_id"


def account_column(table: Table) -> str:
    """The column that names the account of a row. Raises StopIteration where there is none."""
    return (
        "cons_no"
        if table.name == ACCOUNTS
        else next(r.columns[0] for r in table.references if r.target_table == ACCOUNTS)
    )


def payers_join(table: Table) -> str:
    """Left join (alias `payers`) to the payer of each row's account: accounts of one payer belong together."""
    return f"""
    left join (
        select btrim(raw.cons_no) as account_no, min(btrim(raw.payer_name)) as payer_name
        from {delivered(all_tables()[SETTLEMENT_ACCOUNTS])}
        group by 1
    ) as payers on btrim(raw.{account_column(table)}) = payers.account_no"""


def local_day(table: Table, column: str, alias: str = "raw") -> str:
    """SQL of the local day of a column: of a month its first day, null where it is none."""
    kind, name = table.column(column).physical_type, f"{alias}.{column}"
    if kind == "date":
        return name
    if kind == "timestamptz":
        return f"({name} at time zone 'Asia/Shanghai')::date"
    return f"case when {name} ~ '^[0-9]{{4}}(0[1-9]|1[0-2])$' then to_date({name} || '01', 'YYYYMMDD') end"


def days_in_force(table: Table, alias: str = "raw") -> tuple[str, str]:
    """SQL of the first and the last day of an archive's row; the last is null where it goes on."""
    first, last = (local_day(table, column, alias) for column in table.in_force)
    if table.renews:
        last = f"case when ({' and '.join(of_kind(table.renews, alias))}) is not true then {last} end"
    return first, last


def day_of(table: Table) -> str:
    """SQL of the day on which a row's references count."""
    if table.fact_date:
        return local_day(table, table.fact_date)
    if table.in_force:
        first, last = days_in_force(table)
        # the day before its end: the end of one table is the last day, that of another the first day without
        return f"greatest({first}, least({last} - 1, :business_date))"
    return ":business_date"


def in_force_on(table: Table, day: str, alias: str = "raw") -> str:
    """SQL condition: a row is in force on a day; first and last day count."""
    if not table.in_force:
        return "true"
    first, last = days_in_force(table, alias)
    return f"({first} <= {day} and ({last} is null or {day} <= {last}))"


def matches(table: Table, reference: Reference, alias: str) -> str:
    """SQL condition: the key columns of a reference equal those of the target's alias."""
    pairs = zip(reference.columns, reference.target_columns, strict=True)
    return " and ".join(f"{trimmed(table.column(own), 'raw')} = {alias}.{theirs}_key" for own, theirs in pairs)


def keys(reference: Reference) -> str:
    target = all_tables()[reference.target_table]
    return ", ".join(f"{trimmed(target.column(c), 'raw')} as {c}_key" for c in reference.target_columns)


def _join(table: Table, reference: Reference, columns: list[str], alias: str) -> str:
    target = all_tables()[reference.target_table]
    asked = ", ".join(f"raw.{column}" for column in columns)
    if is_as_of(reference):
        first, last = days_in_force(target)
        day = day_of(table)
        return f"""left join (
    select {keys(reference)}, {asked}, {first} as first_day, {last} as last_day
    from {delivered(target)}
) as {alias}
    on {matches(table, reference, alias)}
    and {alias}.first_day <= {day} and ({alias}.last_day is null or {day} <= {alias}.last_day)"""
    key = ", ".join(trimmed(target.column(c), "raw") for c in reference.target_columns)
    now = f" and {in_force_on(table, ':business_date')}" if table.in_force and not table.fact_date else ""
    return f"""left join (
    select distinct on ({key}) {keys(reference)}, {asked}
    from {delivered(target)}
    order by {key}, raw._raw_id
) as {alias} on {matches(table, reference, alias)}{now}"""
