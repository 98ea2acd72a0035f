"""Without funboost the tests skip with one line, and fail on CI."""

import pytest

from tests.interop import funboost_environment


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_an_environment_that_cannot_be_made(monkeypatch, tmp_path, ci, outcome):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FSDF_SERVERS_CACHE", str(tmp_path / "file"))
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=r"^cannot install funboost==55.0: [^\n]+$"):
        funboost_environment.need()
