"""Whether the notices of planned interruptions were given in time (formulas 3.8, S23; oracle O17)."""

from __future__ import annotations

import pandas as pd

from tests.witness import outages, ranking
from tests.witness.raw import Raw, rows_in_force

MART = "mart_outage_notice_compliance"
KEYS = ["plan_no", "account_no"]
LEFT_OUT = dict.fromkeys(
    ("n7d_at", "n2d_at", "n24h_at", "n12h_at", "n30m_at", "channel_codes", "last_delivered_at"),
    "which of several notices that would do is shown for a checkpoint, the requirement does not say",
)
DECIMALS = dict.fromkeys(
    ("plan_version", "required_notices", "answered_notices", "sent_notices", "outdated_notices"), 0
) | {"started_early_min": 4}
CHECKPOINTS = {"N7D": "ok_7d", "N2D": "ok_2d", "N24H": "ok_24h", "N12H": "ok_12h", "N30M": "ok_30m_phone"}


def witness(raw: Raw) -> pd.DataFrame:
    ranked = ranking.witness(raw)
    keys = set(ranked.account_no[ranked.is_key_account & (ranked.ranking_month == raw.month)])
    end_of_day = (raw.day + pd.Timedelta(days=1)).tz_localize("Asia/Shanghai")
    rows = []
    for plan in raw["mkt_outage_plan"].itertuples():
        month = plan.planned_start.tz_localize(None).normalize().replace(day=1)
        if plan.kind not in ("PLANNED", "TEMPORARY") or month < raw.months[0]:
            continue
        for hit in raw.of("mkt_outage_affected", "plan_no").get(plan.plan_no, []):
            if hit.cons_no in keys:
                rows.append(_row(raw, plan, hit, month, is_due=plan.planned_start < end_of_day))
    return pd.DataFrame(rows)


def _row(raw: Raw, plan, hit, month: pd.Timestamp, *, is_due: bool) -> dict:
    notices = raw.of("mkt_outage_notice", "plan_no").get(plan.plan_no, [])
    own = [n for n in notices if n.cons_no == hit.cons_no]
    present = [n for n in notices if n.plan_version == plan.plan_version and n.planned_start == plan.planned_start]
    answered = _answered(plan, hit.cons_no, present, month)
    reason = None
    if plan.status == "CANCELLED":
        reason = "CANCELLED"
    elif isinstance(hit.exception_code, str):
        reason = "EXCEPTION"
    elif not is_due:
        reason = "NOT_YET_DUE"
    elif plan.status in ("DRAFT", "APPROVED"):
        reason = "NOT_PUBLISHED"
    meter = [
        d.starts
        for d in outages.by_meters(raw).get(hit.cons_no, [])
        if d.starts < plan.planned_end and plan.planned_start < d.ends
    ]
    starts = [at for at in (plan.actual_start, min(meter, default=pd.NaT)) if not pd.isna(at)]
    early = max((plan.planned_start - min(starts)).total_seconds() / 60, 0.0) if starts else None
    return {
        "plan_no": plan.plan_no,
        "account_no": hit.cons_no,
        "month_start_date": month,
        "plan_kind_code": plan.kind,
        "plan_status_code": plan.status,
        "plan_version": plan.plan_version,
        "planned_start_at": plan.planned_start,
        "planned_end_at": plan.planned_end,
        **{column: answered.get(code) if is_due else None for code, column in CHECKPOINTS.items()},
        "all_ok": all(answered.values()) if is_due else None,
        "required_notices": len(answered),
        "answered_notices": sum(answered.values()),
        "sent_notices": len(own),
        "outdated_notices": sum(
            n.plan_version != plan.plan_version or n.planned_start != plan.planned_start for n in own
        ),
        "is_counted": reason is None,
        "not_counted_reason_code": reason,
        "actual_start_at": plan.actual_start,
        "meter_started_at": min(meter, default=pd.NaT),
        "started_early_min": early,
    }


def _answered(plan, account: str, present: list, day: pd.Timestamp) -> dict[str, bool]:
    """Each checkpoint with a notice of its own, of the present version; the tightest windows choose first."""
    left = [n for n in present if n.cons_no == account or not isinstance(n.cons_no, str)]
    answered = {}
    checkpoints = [c for c in rows_in_force("notice_checkpoints", day) if c.plan_kind_code == plan.kind]
    for checkpoint in sorted(checkpoints, key=lambda c: float(c.lead_minutes_min)):
        if checkpoint.checkpoint_code == "N24H":  # the regulation asks for any notice, the paper for its own ones
            answered["N24H"] = any(
                _does(plan, checkpoint, n) for n in present if n.cons_no == account or pd.isna(n.cons_no)
            )
            continue
        found = [n for n in left if _does(plan, checkpoint, n)]
        answered[checkpoint.checkpoint_code] = bool(found)
        if found:
            left.remove(max(found, key=lambda n: n.sent_at))
    return answered


def _does(plan, checkpoint, notice) -> bool:
    is_public = not isinstance(notice.cons_no, str)
    if is_public and checkpoint.is_public_accepted != "true":
        return False
    at = notice.sent_at
    if checkpoint.is_phone_confirmed == "true":
        if notice.channel != "PHONE" or pd.isna(notice.confirmed_at):
            return False
        at = notice.confirmed_at
    lead = (plan.planned_start - at).total_seconds() / 60
    return float(checkpoint.lead_minutes_min) <= lead < float(checkpoint.lead_minutes_below or "inf")
