"""What a proposal says about itself: why each setting is as it is, and which of them a person has to confirm."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Notes:
    """`reasons` is setting -> why; `doubts` are settings that are not sure: what was chosen, and why it may be wrong."""

    reasons: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, tuple[object, str]] = field(default_factory=dict)

    def say(self, setting: str, why: str) -> None:
        self.reasons[setting] = why

    def doubt(self, setting: str, chosen: object, why: str) -> None:
        self.doubts.setdefault(setting, (chosen, why))

    def forget(self, setting: str) -> None:
        self.doubts.pop(setting, None)
