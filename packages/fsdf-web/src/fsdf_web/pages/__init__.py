"""The pages: one module a subject; they only look, all they change they change by the API."""

from typing import TYPE_CHECKING

from fsdf_web.pages import login, overview

if TYPE_CHECKING:
    from fastapi import APIRouter

PAGES: tuple["APIRouter", ...] = (login.router, overview.router)
"""All routes of pages."""
