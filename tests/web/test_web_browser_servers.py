"""A person with a browser, once through, where state and records are on servers."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.web.stores import SERVERS

# One is enough for a walk: the pages' own tests look at all.
pytestmark = [pytest.mark.timeout(300), pytest.mark.parametrize("house", SERVERS[:1], indirect=True)]


def test_a_walk(look, house):
    page = look()
    page.goto("/call?queue=sums")
    page.get_by_label(re.compile("^x")).fill("40")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("[data-answer]")).to_contain_text('"result": 42')
    page.get_by_role("link", name="The task", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("success")
    page.goto("/tasks?queue=sums&argument=x%3D40")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto("/queues/sums")
    page.get_by_role("button", name="Pause").click()
    house.worker.until("sums is paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.goto("/speed")
    expect(page.locator("[data-drawn]")).to_have_count(8)
    page.goto("/workers")
    expect(page.locator("section", has_text="sums")).to_be_visible()
    page.goto("/audit")
    expect(page.get_by_text("POST /api/queues/sums/pause")).to_be_visible()
    page.goto("/workers?by=host")
    for left in (1, 0):
        page.get_by_role("button", name="Shut down").first.click()
        page.locator("#confirm[open] button[value='yes']").click()
        expect(page.locator("tbody tr")).to_have_count(left)
    assert house.worker.ended() == 0
