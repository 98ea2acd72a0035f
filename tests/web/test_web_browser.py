"""A person with a browser: every page, in Chromium, against workers that work."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

TOKEN, READER = "the-token-of-admins", "the-token-of-readers"
PAGES = ("/", "/tasks", "/speed", "/queues", "/queues/mails", "/workers", "/call?queue=sums", "/schedules", "/audit")

pytestmark = pytest.mark.timeout(300)


def answer(page, question="yes"):
    page.locator(f"#confirm[open] button[value='{question}']").click()


def test_getting_in_and_out(look, house):
    page = look(None)
    page.goto("/queues")
    page.get_by_label("Token").fill("not the token")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("This token is not right.")
    look.trouble.clear()  # the browser notes the 401
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{house.root}/queues")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(f"{house.root}/login")
    page.goto("/")
    assert "/login" in page.url


def test_calling_a_function_and_looking_at_its_task(look):
    page = look()
    page.goto("/call")
    page.get_by_label("Queue").select_option("sums")
    page.get_by_label(re.compile("^x")).fill("40")
    page.get_by_role("button", name="Publish").click()
    told = page.locator("[data-answer]")
    expect(told).to_contain_text('"result": 42')
    page.get_by_role("link", name="The task", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("success")
    expect(page.locator("pre").first).to_contain_text('"x": 40')
    task = page.get_by_role("heading", level=1).inner_text().split()[0]
    page.get_by_role("button", name="Run again").click()
    expect(page.locator(".toast")).to_contain_text("Published again")
    page.get_by_role("link", name="Edit and run again").click()
    expect(page.get_by_label(re.compile("^x"))).to_have_value("40")
    page.get_by_label(re.compile("^x")).fill("many")
    page.get_by_role("button", name="Publish").click()
    expect(told).to_contain_text("TypeError")
    page.goto(f"/call?result={task}")
    expect(page.locator("pre").last).to_have_text("42")


def test_pages_follow_what_happens(look):
    page, other = look(), look()
    page.goto("/tasks?queue=sums&argument=x%3D777")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    expect(page.get_by_text("No tasks.")).to_be_visible()
    other.goto("/call?queue=sums")
    other.get_by_label(re.compile("^x")).fill("777")
    other.get_by_role("button", name="Publish").click()
    expect(page.locator("tbody tr")).to_contain_text("success")


def test_pausing_and_resuming(look, house):
    page = look()
    page.goto("/queues/sums")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("paused")
    house.worker.until("sums is paused")
    page.goto("/call?queue=sums")
    page.get_by_label(re.compile("^x")).fill("1")
    page.get_by_label("Wait for the result (s)").fill("")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("[data-answer]")).to_contain_text('"accepted": true')
    page.goto("/queues/sums")
    waiting = page.locator(".tile", has_text="waiting").locator("b")
    expect(waiting).to_have_text("1")
    page.get_by_role("button", name="Resume").click()
    expect(waiting).to_have_text("0")


def test_clearing_asks_first(look):
    page = look()
    page.goto("/queues/sums")
    page.get_by_role("button", name="Clear").click()
    answer(page, "")
    expect(page.locator(".toast")).to_have_count(0)
    page.get_by_role("button", name="Clear").click()
    answer(page)
    expect(page.locator(".toast")).to_contain_text("Deleted: 0")


def test_another_pace(look):
    page = look()
    page.goto("/queues/sums")
    page.get_by_label("Calls at once").fill("7")
    page.get_by_role("button", name="Change").click()
    expect(page.locator(".toast")).to_contain_text("Done")
    page.goto("/workers")
    expect(page.locator("section", has_text="sums")).to_contain_text("\u00d7 7")


def test_dead_letters(look):
    page = look()
    for name in ("ann", "bob"):
        page.goto("/call?queue=mails")
        page.get_by_label(re.compile("^to")).fill(name)
        page.get_by_label("Wait for the result (s)").fill("")
        page.get_by_role("button", name="Publish").click()
        expect(page.locator("[data-answer]")).to_contain_text('"accepted": true')
    page.goto("/queues/mails")
    letters = page.locator("#letters section").first.locator("tbody tr")
    expect(letters).to_have_count(2)
    expect(letters.first).to_contain_text("no <b>such</b> user")
    page.get_by_role("button", name="Drop chosen").click()
    expect(page.locator(".toast.failed")).to_contain_text("Choose something first.")
    letters.filter(has_text='"ann"').get_by_role("checkbox").check()
    page.get_by_role("button", name="Drop chosen").click()
    answer(page)
    expect(letters).to_have_count(1)
    page.get_by_role("button", name="Replay all").click()
    answer(page)
    expect(page.locator(".toast").last).to_contain_text(": 1")
    expect(letters).to_have_count(1)  # it has failed again
    page.goto("/tasks?status=dead-letter&queue=mails")
    page.locator("td.time a").first.click()
    expect(page.locator("pre").filter(has_text="Traceback")).to_be_visible()


def test_schedules(look):
    page = look()
    page.goto("/schedules")
    form = page.locator("form")
    form.get_by_label(re.compile("^Queue")).select_option("sums")
    form.get_by_label("When").select_option("cron")
    form.get_by_label("Hour", exact=True).fill("3")
    form.get_by_label("Name").fill("nightly")
    form.get_by_label("Arguments as a JSON object").fill('{"x": ')
    form.get_by_role("button", name="Add").click()
    expect(page.locator(".toast.failed")).to_contain_text("This is no JSON.")
    form.get_by_label("Arguments as a JSON object").fill('{"x": 3}')
    form.get_by_role("button", name="Add").click()
    row = page.locator("tbody tr", has_text="nightly")
    expect(row).to_contain_text("03:00:00")
    row.get_by_role("button", name="Run now").click()
    expect(page.locator(".toast").last).to_contain_text("Published")
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("paused")
    row.get_by_role("button", name="Resume").click()
    expect(row.get_by_role("button", name="Pause")).to_be_visible()
    row.get_by_role("button", name="Remove").click()
    answer(page)
    expect(page.get_by_text("No schedules.")).to_be_visible()


def test_charts_are_drawn(look):
    page = look()
    page.goto("/speed")
    expect(page.locator("[data-drawn]")).to_have_count(8)
    expect(page.locator("canvas").first).to_be_visible()
    page.get_by_label("Queue").select_option("mails")
    page.wait_for_url(re.compile("queue=mails"))


def test_by_keyboard_in_the_dark_in_chinese(look):
    page = look(color_scheme="dark")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Dark or light").press("Enter")
    assert page.evaluate(ground) != dark
    page.reload()
    assert page.evaluate(ground) != dark
    page.get_by_role("link", name="中文").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("总览")


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_sticks_out(look, width):
    page = look(viewport={"width": width, "height": 740})
    for path in PAGES:
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_readers_only_look(look):
    page = look(READER)
    for path in PAGES[:-1]:
        page.goto(path)
        expect(page.get_by_text("read-only", exact=True)).to_be_visible()
        expect(page.locator("[data-action]:not([data-url='/logout'])")).to_have_count(0)


def test_what_was_done_is_noted_and_workers_shut_down(look, house):
    page = look()
    page.goto("/audit")
    expect(page.get_by_text("POST /api/queues/sums/pause")).to_be_visible()
    page.goto("/workers?by=host")
    for left in (1, 0):
        page.get_by_role("button", name="Shut down").first.click()
        answer(page)
        expect(page.locator(".toast").last).to_contain_text("then it stops")
        expect(page.locator("tbody tr")).to_have_count(left)
    expect(page.get_by_text("No workers.")).to_be_visible()
    assert house.worker.ended() == 0
