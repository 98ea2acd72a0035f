"""Runs tests in greenlets: `green_run.py LIBRARY PYTEST_ARGUMENT...`."""

import sys

if sys.argv[1] == "gevent":
    from gevent import monkey

    monkey.patch_all()
else:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import eventlet
    eventlet.monkey_patch()

import pytest

if __name__ == "__main__":
    # No other plugins: some take long to import, some start threads of their own.
    plugins = [
        "-p",
        "pytest_timeout",
        "-p",
        "pytest_rerunfailures",
        "-p",
        "no:cacheprovider",
        "--timeout-method=thread",
    ]
    sys.exit(pytest.main([*plugins, "-q", "-x", *sys.argv[2:]]))
