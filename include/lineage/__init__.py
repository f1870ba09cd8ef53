"""OpenLineage events from landing to mart: what a night told of itself, off unless a file or a receiver is set.

Steps say what they did (`night`, `landing`, `models`, `made_here`, `judged`, `published`). Nothing here ever raises, and a
receiver that cannot be reached is told once and then left alone: a night does not fail because a catalogue does. Events name
tables, rules and numbers of rows; they hold no value of a row, no message of an error and no login.
"""

from include.lineage.steps import judged, landing, made_here, models, night, published

__all__ = ["judged", "landing", "made_here", "models", "night", "published"]
