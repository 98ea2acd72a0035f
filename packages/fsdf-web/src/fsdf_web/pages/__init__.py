"""The pages: one module a subject; they only look, all they change they change by the API."""

from typing import TYPE_CHECKING

from fsdf_web.pages import audit, call, login, overview, queues, schedules, speed, tasks, workers

if TYPE_CHECKING:
    from fastapi import APIRouter

PAGES: tuple["APIRouter", ...] = tuple(
    module.router for module in (login, overview, tasks, speed, queues, workers, call, schedules, audit)
)
"""All routes of pages."""
