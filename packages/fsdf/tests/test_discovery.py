"""Which modules are found and imported."""

import sys

import pytest

from fsdf import BoosterDiscovery, BoostersManager
from fsdf_core.errors import ConfigurationError

TASK = "from fsdf import boost\n@boost({queue!r}, broker_kind='MEMORY_QUEUE')\ndef task(x): ...\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Writes files that decorate; forgets their modules."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(**queues):
        for path, queue in queues.items():
            file = tmp_path / (path.replace("__", "/") + ".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(TASK.format(queue=queue) if queue else "raise SystemExit('imported')\n")
        return tmp_path

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(ConfigurationError, match="no folder"):
        BoosterDiscovery(tmp_path, ["nowhere"])


def test_an_expression_that_is_none(tmp_path):
    with pytest.raises(ConfigurationError, match="regular expression"):
        BoosterDiscovery(tmp_path, py_file_re_str="(")


def test_a_name_that_no_module_has(project):
    root = project(**{"not-a-module": "nameless"})
    with pytest.raises(ConfigurationError, match="no name of a module"):
        BoosterDiscovery(root).auto_discovery()


def test_what_decorates_is_imported_and_nothing_else(project):
    root = project(dsc_a="dsc-a", dsc_pack__b="dsc-b", dsc_other=None, dsc_pack__deep__c="dsc-c")
    assert BoosterDiscovery(root).auto_discovery() == ["dsc_a", "dsc_pack.b"]
    assert {"dsc-a", "dsc-b"} <= set(BoostersManager.get_all_queues())
    assert "dsc-c" not in BoostersManager.get_all_queues()
    assert BoosterDiscovery(root, max_depth=2).auto_discovery()[-1] == "dsc_pack.deep.c"


def test_folders_and_an_expression(project):
    root = project(dsd_pack__b="dsd-b", dsd_pack__c="dsd-c", dsd_a="dsd-a")
    found = BoosterDiscovery(root, ["dsd_pack"], py_file_re_str=r"/c\.py$")
    assert [path.name for path in found.files()] == ["c.py"]
    assert found.auto_discovery() == ["dsd_pack.c"]


def test_a_package_below_src_has_its_own_name(project):
    root = project(src__dse_pack__a="dse-a")
    (root / "pyproject.toml").touch()
    assert BoosterDiscovery(root, max_depth=3).auto_discovery() == ["dse_pack.a"]


def test_virtual_environments_are_left_alone(project):
    root = project(env__lib__x="dsf-x", dsf_a="dsf-a")
    (root / "env" / "pyvenv.cfg").touch()
    assert [path.name for path in BoosterDiscovery(root, max_depth=9).files()] == ["dsf_a.py"]
