"""What becomes of a task's status and result, under the names that users know."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fsdf.boosters_manager import BoosterRegistry
from fsdf.validation import clear_error
from fsdf_control import Records
from fsdf_core import registry
from fsdf_core.errors import ConfigurationError, UnknownName
from fsdf_core.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf.params import BoosterParams

_FORMS = (
    "FunctionResultStatusPersistanceConfig(is_save_status=True), a dict of its fields, or (status, result, seconds)"
)


class FunctionResultStatusPersistanceConfig(BaseModel):
    """What to record of each task, in the store of the setting `records_url`.

    Attributes:
        is_save_status: record each task: arguments, times, attempts, worker, failure; default False.
        is_save_result: record its result, too; default False.
        expire_seconds: how long a record is kept; default a week.
        is_use_bulk_insert: accepted: records are always written in batches.
        table_name: accepted: the records of all queues share one table.
        mask_arguments: names of arguments that are recorded as "***", besides the usual ones (`password`, `secret`,
            `token`, `api_key`, …: `fsdf_control.masking.SECRETS`); default none.

    Raises:
        ConfigurationError: a field is unknown or not valid; a result is to be saved without its status.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    is_save_status: bool = False
    is_save_result: bool = False
    expire_seconds: float = Field(default=7 * 86_400, gt=0)
    is_use_bulk_insert: bool = False
    table_name: str | None = None
    mask_arguments: tuple[str, ...] = ()

    # As BoosterParams.
    if not TYPE_CHECKING:

        def __init__(self, **given: Any) -> None:
            try:
                super().__init__(**given)
            except ValidationError as error:
                raise clear_error(error, type(self).__name__) from None

    def model_post_init(self, _: Any, /) -> None:
        """Refuse what makes no sense."""
        if self.is_save_result and not self.is_save_status:
            raise ConfigurationError("is_save_result needs is_save_status=True: a result is part of its task's record")


def resolve_record_conf(conf: Any) -> FunctionResultStatusPersistanceConfig | None:
    """Return the configuration, or None if nothing is to be recorded.

    Raises:
        ConfigurationError: it is none.
    """
    if conf is None:
        return None
    if isinstance(conf, tuple):  # of old versions
        conf = dict(
            zip(("is_save_status", "is_save_result", "expire_seconds", "is_use_bulk_insert"), conf, strict=False)
        )
    if isinstance(conf, Mapping):
        conf = FunctionResultStatusPersistanceConfig(**conf)
    if not isinstance(conf, FunctionResultStatusPersistanceConfig):
        raise ConfigurationError(f"function_result_status_persistance_conf is {_FORMS}, not {type(conf).__name__}")
    return conf if conf.is_save_status else None


def records_of(params: BoosterParams) -> list[Records]:
    """Return the control that records a task's runs, if they are to be recorded."""
    conf = resolve_record_conf(params.function_result_status_persistance_conf)
    if conf is None:
        return []
    return [
        Records(
            partial(registry.open_records, get_settings()),
            _function_name(params),
            results=conf.is_save_result,
            keep=conf.expire_seconds,
            mask_arguments=conf.mask_arguments,
        )
    ]


def _function_name(params: BoosterParams) -> str:
    function: Callable[..., Any] | None
    try:
        function = BoosterRegistry(params.booster_registry_name).get_booster(params.queue_name).consuming_function
    except UnknownName:
        function = params.consuming_function
    return getattr(function, "__name__", "") or params.consuming_function_name
