"""One message in the two languages that every person's text has here."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """A message in Chinese and in English; neither may be empty."""

    zh: str
    en: str

    def __post_init__(self) -> None:
        if not self.zh or not self.en:
            raise ValueError("a text needs both languages")

    def in_language(self, language: Language) -> str:
        """The message in one language."""
        return self.zh if language == "zh" else self.en

    def to_dict(self) -> dict[str, str]:
        """As `{"zh": …, "en": …}`, the form that leaves in JSON."""
        return {"zh": self.zh, "en": self.en}
