"""`fsdf init`: a configuration file to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fsdf_cli.examples import examples
from fsdf_cli.output import say
from fsdf_core.config_modules import CONFIG_MODULE
from fsdf_core.errors import ConfigurationError
from fsdf_core.settings_page import config_template

EXAMPLES = examples("fsdf init", "fsdf init --force deploy/")


def init(
    folder: Annotated[Path, typer.Argument(help="Where; the project's root.")] = Path(),
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file that is there.")] = False,
) -> None:
    """Write fsdf_config.py with every setting, commented out."""
    path = folder / f"{CONFIG_MODULE}.py"
    if path.exists() and not force:
        raise ConfigurationError(f"{path} is there already: --force overwrites it")
    path.write_text(config_template(), encoding="utf-8")
    say(f"{path} is written")
