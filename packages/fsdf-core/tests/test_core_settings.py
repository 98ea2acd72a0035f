"""Where settings come from."""

import logging
import sys

import pytest

from fsdf_core import settings as module
from fsdf_core.errors import ConfigurationError
from fsdf_core.setting_origins import setting_origins
from fsdf_core.settings import get_settings, patch_frame_config, project_root


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_current", None)
    monkeypatch.setattr(module, "_patches", {})
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "fsdf_config", raising=False)
    for name in ("HOME", "LOG_LEVEL", "GRACE"):
        monkeypatch.delenv(f"FSDF_{name}", raising=False)
    yield
    sys.modules.pop("fsdf_config", None)


def test_home_is_in_the_project_root(tmp_path):
    (tmp_path / "pyproject.toml").touch()
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert project_root(deep) == tmp_path
    assert get_settings().home == tmp_path / ".fsdf"


def test_code_beats_environment_beats_module(monkeypatch, tmp_path):
    (tmp_path / "fsdf_config.py").write_text("GRACE = 1\nLOG_LEVEL = 'debug'\nHEARTBEAT_TIMEOUT = 9\n")
    monkeypatch.setenv("FSDF_LOG_LEVEL", "ERROR")
    monkeypatch.setenv("FSDF_GRACE", "2")
    patch_frame_config(GRACE=3)
    settings = get_settings()
    assert (settings.grace, settings.log_level, settings.heartbeat_timeout) == (3, logging.ERROR, 9)


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(ConfigurationError, match="Did you mean 'redis_url'"):
        patch_frame_config(REDIS_ULR="redis://x")


def test_a_bad_value_is_named_and_not_kept(monkeypatch):
    with pytest.raises(ConfigurationError, match="grace"):
        patch_frame_config(grace="soon")
    assert get_settings().grace == 30
    monkeypatch.setattr(module, "_current", None)
    monkeypatch.setenv("FSDF_LOG_LEVEL", "LOUD")
    with pytest.raises(ConfigurationError, match="log_level"):
        get_settings()


def test_an_empty_variable_is_not_set(monkeypatch, tmp_path):
    (tmp_path / "fsdf_config.py").write_text("GRACE = 7\n")
    for name in ("HOME", "GRACE", "LOG_LEVEL", "STATE_URL"):
        monkeypatch.setenv(f"FSDF_{name}", "")
    settings = get_settings()
    assert (settings.home, settings.grace, settings.log_level) == (tmp_path / ".fsdf", 7, logging.INFO)
    assert settings.state_url is None
    assert {origin.source for origin in setting_origins()} == {"default", "fsdf_config.py"}


def test_passwords_are_not_printed():
    patch_frame_config(redis_url="redis://:secret@host/0")
    assert "secret" not in repr(get_settings())
