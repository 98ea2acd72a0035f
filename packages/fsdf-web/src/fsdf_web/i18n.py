"""The languages of the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_web.chinese import CHINESE
from fsdf_web.hub import hub_of

if TYPE_CHECKING:
    from starlette.requests import Request

LANGUAGES = {"en": "English", "zh": "中文"}
LANGUAGE_COOKIE = "fsdf_language"


def language_of(request: Request) -> str:
    """Return the visitor's choice, else the setting, else what the browser prefers, else English."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    if (configured := hub_of(request).web.language) is not None:
        return configured
    for part in request.headers.get("accept-language", "").split(","):
        code = part.split(";")[0].strip().lower()[:2]
        if code in LANGUAGES:
            return code
    return "en"


def translated(words: str, language: str) -> str:
    """Return English words in a language; as they are if nobody has translated them."""
    return CHINESE.get(words, words) if language == "zh" else words
