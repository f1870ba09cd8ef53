"""Rules, their evaluation, and what follows from it: findings, quarantine, the verdict of a gate."""
