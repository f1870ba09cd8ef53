"""Schemas of a preview, beside those of the warehouse."""

from __future__ import annotations

BESIDE = "preview_"  # in front of the name of a schema: what a preview has instead of it
STATE = "preview_state"
BUILT = ("staging", "warehouse", "candidate")
DELIVERED = BESIDE + "delivered"  # staging as gate 1 judged it, where what is admitted is another
ALL = (*(BESIDE + name for name in (*BUILT, "quality")), DELIVERED, STATE)


def is_beside(schema: str) -> bool:
    return schema.startswith(BESIDE)
