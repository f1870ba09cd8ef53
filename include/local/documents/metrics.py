"""`docs/reference/metrics.md`: the measures of the marts, from `dbt_project/metrics/` and the columns that refer to them."""

from __future__ import annotations

from collections import defaultdict

from include.transform.metrics import compared_metrics, declared_metrics, shown_metrics

HEAD = """# Measures

Made from `dbt_project/metrics/` and the columns of the marts by `./kaw docs --code`; a test holds it to them.

A measure is stated once and computed in one model. A column of a mart refers to it by `meta.metric`; where its name is another one, it is
in brackets. *Added over* says along what rows may be summed, and nothing else may be: a rate,
a share, a score and a highest value are made anew of their parts. *Withheld* says what is shown where a part is withheld: nothing (null),
the sum of what was admitted, a provisional value; complete: nothing can be.
What marts show as one measure for the same thing and month is held equal by gate 2 (**=**, rule MART-METRIC).
"""
TITLES = {
    "accounts": "Accounts",
    "common": "Every mart",
    "energy": "Energy and tariffs",
    "quality": "Data quality",
    "reliability": "Reliability and voltage",
    "service": "Service",
}


def metrics_page() -> str:
    shown = defaultdict(list)
    for column in shown_metrics():
        named = column.model.published_name
        shown[column.metric].append(named if column.column == column.metric else f"{named} ({column.column})")
    compared = compared_metrics()
    parts = [HEAD]
    for theme, title in TITLES.items():
        parts.append(f"\n## {title}\n")
        parts.append("| measure | name | 名称 | unit | one per | computed in | added over | withheld | shown by |")
        parts.append("|---|---|---|---|---|---|---|---|---|")
        for metric in sorted(declared_metrics().values(), key=lambda m: m.name):
            if metric.theme == theme:
                marts = "every mart" if theme == "common" else ", ".join(shown[metric.name])
                mark = " **=**" if metric.name in compared else ""
                added = ", ".join(metric.additive_over) or "nothing"
                parts.append(
                    f"| `{metric.name}`{mark} | {metric.label_en} | {metric.label_zh} | {metric.unit} | {metric.grain}, {metric.period}"
                    f" | `{metric.source_model}.{metric.column}` | {added} | {metric.partial.replace('_', ' ')} | {marts} |"
                )
    return "\n".join(parts).rstrip() + "\n"
