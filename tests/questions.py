"""Twelve questions asked of the pages by clicks alone, each at most three from the first page, and what SQL says to each.

The SQL is a second hand's: written from the questions over the published relations, not from the charts. A cell is what a person
reads, so SQL makes the text of it.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

import psycopg

from tests.browser import Browser
from tests.dashboards import log_in

CLICKS = 3
NEWEST = "(select max(month_start_date) from marts.dim_months where is_published)"
LOCAL = "at time zone 'Asia/Shanghai'"


@dataclass(frozen=True)
class Question:
    """`link` is the beginning of its words on the first page, `title` that of the chart, `columns` the headings that answer it."""

    link: str
    title: str
    columns: tuple[str, ...]
    sql: str
    may_be_empty: bool = False


QUESTIONS = (
    Question(
        "Who may leave",
        "Who may leave, and why",
        ("Account", "Churn score", "First reason"),
        f"""
        select accounts.account_name, to_char(risk.churn_score, 'FM990.0'), coalesce(reasons.name_en, 'N/A')
        from marts.mart_churn_risk as risk
        inner join marts.dim_accounts as accounts using (account_no)
        left join marts.dim_codes as reasons
            on reasons.column_name = 'churn_driver_1' and reasons.code = risk.churn_driver_1
        where risk.month_start_date = {NEWEST} and risk.churn_score > 0
        """,
    ),
    Question(
        "Who became a key account",
        "Who became a key account or ceased",
        ("Account", "Movement", "Revenue rank"),
        f"""
        select accounts.account_name, case when ranking.left_date > {NEWEST} - interval '12 months' then 'left' else 'entered' end,
            coalesce(to_char(ranking.revenue_rank, 'FM999,990'), 'N/A')
        from marts.mart_key_account_ranking as ranking
        inner join marts.dim_accounts as accounts using (account_no)
        where ranking.ranking_month = {NEWEST}
            and greatest(ranking.entered_date, ranking.left_date) > {NEWEST} - interval '12 months'
        """,
    ),
    Question(
        "How much is exposed",
        "Exposure by group",
        ("Group or customer", "Exposure ¥"),
        f"""
        with owned as (
            select bridge.account_no, coalesce(customers.group_name, customers.customer_name, customers.customer_no) as owner,
                coalesce(customers.group_no, customers.customer_no) as number
            from marts.bridge_account_customers as bridge
            inner join marts.dim_customers as customers using (customer_no)
            where bridge.valid_from <= (select max(business_date) from marts.publication)
                and (bridge.valid_to is null or bridge.valid_to > (select max(business_date) from marts.publication))
        )
        select owned.owner, to_char(sum(credit.exposure_cny), 'FM999,999,999,990')
        from owned inner join marts.mart_credit_risk as credit using (account_no)
        where credit.month_start_date = {NEWEST}
        group by owned.owner, owned.number having sum(credit.exposure_cny) > 0
        """,
    ),
    Question(
        "What would another way",
        "Another way of paying",
        ("Account", "Advice", "Last day to apply", "Status"),
        """
        select accounts.account_name, kinds.name_en, to_char(advice.last_day_to_apply, 'YYYY-MM-DD'), status.name_en
        from marts.mart_advice as advice
        inner join marts.dim_accounts as accounts using (account_no)
        inner join marts.dim_codes as kinds on kinds.column_name = 'advice_code' and kinds.code = advice.advice_code
        inner join marts.dim_codes as status
            on status.column_name = 'advice_status_code' and status.code = advice.advice_status_code
        where advice.applies_from = (select max(applies_from) from marts.mart_advice)
        """,
    ),
    Question(
        "Which outages did only",
        "Outages that only customers saw",
        ("Account", "Began by meters"),
        f"""
        select accounts.account_name, to_char(outages.started_at {LOCAL}, 'YYYY-MM-DD HH24:MI')
        from marts.fct_customer_outages as outages
        inner join marts.dim_accounts as accounts using (account_no)
        inner join marts.fct_outages_matched as matched on matched.customer_outage_id = outages.customer_outage_id
        where matched.supply_outage_id is null and date_trunc('month', outages.started_at {LOCAL}) = {NEWEST}
        """,
        may_be_empty=True,
    ),
    Question(
        "Whose supply is bad",
        "Whose supply is bad",
        ("Account", "Supply reliability %", "Interruptions"),
        f"""
        select accounts.account_name, to_char(rates.rs_pct, 'FM990.00'), rates.interruptions::text
        from marts.mart_two_rates as rates
        inner join marts.dim_accounts as accounts on accounts.account_no = rates.entity_no
        where rates.entity_kind_code = 'ACCOUNT' and rates.side_code = 'SUPPLY' and rates.month_start_date = {NEWEST}
            and (rates.rs_pct < rates.rs_target_pct or rates.voltage_ok_pct < rates.voltage_target_pct)
        """,
        may_be_empty=True,
    ),
    Question(
        "Which notices were late",
        "Late notices of all months",
        ("Plan", "Account", "Planned for"),
        f"""
        select notices.plan_no, accounts.account_name, to_char(notices.planned_start_at {LOCAL}, 'YYYY-MM-DD HH24:MI')
        from marts.mart_outage_notice_compliance as notices
        inner join marts.dim_accounts as accounts using (account_no)
        where notices.is_counted and not notices.all_ok
        """,
        may_be_empty=True,
    ),
    Question(
        "Which connections are slow",
        "Open applications and those beyond",
        ("Application", "Department", "Hours waited there"),
        """
        select distinct on (cases.application_no) cases.application_no, coalesce(departments.dept_name, waits.dept_no, 'N/A'),
            trim(to_char(round(waits.wait_working_hours, 2), 'FM990.99'), '.')
        from marts.mart_connection_funnel as cases
        inner join marts.mart_connection_cycle_time as waits using (application_no)
        left join marts.dim_departments as departments using (dept_no)
        where not cases.sla_met
        order by cases.application_no, waits.wait_working_hours desc nulls last, waits.stage_seq
        """,
    ),
    Question(
        "What must each manager",
        "To do, in each manager",
        ("Manager", "Order", "Task", "Due"),
        """
        select tasks.manager_no, tasks.task_rank::text, codes.name_en, to_char(tasks.due_date, 'YYYY-MM-DD')
        from marts.fct_manager_tasks as tasks
        inner join marts.dim_codes as codes on codes.column_name = 'task_code' and codes.code = tasks.task_code
        """,
    ),
    Question(
        "Which deliveries are missing",
        "Deliveries that are missing",
        ("Unit", "Source", "Status"),
        """
        select units.unit_no, units.source_name, codes.name_en
        from marts.mart_access_list as units
        inner join marts.dim_codes as codes on codes.column_name = 'status_code' and codes.code = units.status_code
        where units.status_code <> 'OK' and units.as_of_date = (select max(business_date) from marts.publication)
        """,
        may_be_empty=True,
    ),
    Question(
        "How soon do offices",
        "Offices: business days",
        ("Owner", "Found", "Fixed"),
        """
        select owner_name, to_char(sum(found_findings), 'FM999,990'), to_char(sum(fixed_findings), 'FM999,990')
        from marts.fct_rule_results group by owner_name
        """,
    ),
)

# a chart by the beginning of its title: whether it is in sight, its headings, and the cells of its rows
_CHART = """(() => {
  const box = [...document.querySelectorAll('[data-test-chart-name]')]
    .find((chart) => chart.getAttribute('data-test-chart-name').startsWith(%s));
  if (!box) return null;
  const { top, bottom } = box.getBoundingClientRect();
  const heads = [...box.querySelectorAll('thead th')].map((th) => th.innerText.trim().replace(/\\s+/g, ' '));
  const rows = [...box.querySelectorAll('tbody tr')].map((tr) => [...tr.querySelectorAll('td')].map((td) => td.innerText.trim()));
  const isLoading = !!box.querySelector('[data-test="loading-indicator"], .loading');
  return { inSight: top < innerHeight && bottom > 0, heads, rows, isLoading,
    isEmpty: box.innerText.includes('No results were returned') };
})()"""


def begin(page: Browser, user: str, password: str) -> None:
    """Logged in, on the first page, as it comes after the log-in."""
    page.show("light", width=1440, height=900)
    log_in(page, user, password)
    page.visit("/superset/welcome/", "document.querySelectorAll('a[href*=\"#CHART-\"]').length > 5")


def click(page: Browser, words: str) -> None:
    """What a person could click, by the beginning of its words."""
    script = """(() => {
      const found = [...document.querySelectorAll('a, button')].find((a) => a.innerText.trim().startsWith(%s) && a.checkVisibility());
      if (!found) return false;
      found.click();
      return true;
    })()"""
    assert page.evaluate(script % json.dumps(words)), f"there is nothing to click that says {words}"


def read(page: Browser, title: str, patience_s: float = 90) -> dict:
    """The chart of this title as it is seen, once it has its rows or says that it has none."""
    script, until = _CHART % json.dumps(title), time.monotonic() + patience_s
    found, before = None, object()
    while time.monotonic() < until:
        found = page.evaluate(script)
        if found and not found["isLoading"] and (found["rows"] or found["isEmpty"]):
            if found == before:  # twice the same: nothing moves any more
                return found
            before = found
        time.sleep(0.7)
    raise AssertionError(f"{title}: not drawn after {patience_s} s: {found}")


def answer(seen: dict, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    missing = set(columns) - set(seen["heads"])
    assert seen["isEmpty"] or not missing, f"no heading {missing} among {seen['heads']}"
    places = [seen["heads"].index(name) for name in columns] if seen["rows"] else []
    return sorted(tuple(row[place] for place in places) for row in seen["rows"] if len(row) > 1)


def ask(page: Browser, question: Question, reader: psycopg.Connection) -> int:
    """From the first page to the answer, and the answer against SQL; the number of clicks."""
    page.visit("/superset/dashboard/kaw-start/", "document.querySelectorAll('a[href*=\"#CHART-\"]').length > 5")
    click(page, question.link)
    seen = read(page, question.title)
    assert seen["inSight"], f"{question.title} is out of sight"
    expected = sorted(
        tuple("N/A" if cell is None else str(cell) for cell in row) for row in reader.execute(question.sql).fetchall()
    )
    assert expected or question.may_be_empty, f"{question.link}: this world has no answer"
    shown = answer(seen, question.columns)
    assert shown == expected, f"{question.link}: {set(shown) ^ set(expected)}"
    return 1


_CHOOSE = """(async ([name, value]) => {
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  let at = [...document.querySelectorAll('h4, label, [data-test="filter-control-name"]')]
    .find((label) => label.innerText.trim().startsWith(name));
  while (at && !at.querySelector('.ant-select')) at = at.parentElement;
  at.querySelector('.ant-select-selector').dispatchEvent(new MouseEvent('mousedown', {bubbles: true}));
  for (let tries = 0; tries < 60; tries++) {
    await pause(250);
    const options = [...document.querySelectorAll('.ant-select-item-option')];
    const option = options.find((one) => one.title === value || one.innerText === value);
    if (option) { option.click(); break; }
  }
  await pause(500);
  document.querySelector('[data-test="filter-bar__apply-button"]').click();
})(%s)"""


def choose(page: Browser, name: str, value: str) -> None:
    """A value in a filter of the bar, as by the mouse, and Apply."""
    page.evaluate(_CHOOSE % json.dumps([name, value]))
