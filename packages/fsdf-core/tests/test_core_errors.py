"""The tree of errors that users read is the one that they catch."""

import inspect
import re

from fsdf_core import errors


def drawn():
    """What the module's docstring says: name → names of the bases."""
    bases, path = {"FsdfError": {"Exception"}}, ["FsdfError"]
    for line in errors.__doc__.splitlines():
        match = re.match(r"([│ ├└─]+)(\w+)(?: \((\w+)\))?", line)
        if match and set(match[1]) & set("├└"):
            depth = len(match[1]) // 4
            path[depth:] = [match[2]]
            bases[match[2]] = {path[depth - 1]} | ({match[3]} if match[3] else set())
    return bases


def test_the_tree_in_the_docstring_is_the_real_one():
    real = {
        name: {base.__name__ for base in kind.__bases__}
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if kind.__module__ == errors.__name__
    }
    assert drawn() == real
