"""What one message may carry beside its arguments."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fsdf.built import OPTIONS_NOT_BUILT, refuse_unbuilt
from fsdf.old_names import modernised
from fsdf.validation import clear_error
from fsdf_core.errors import ConfigurationError

_PRIORITY_KEYS = ("priority", "priroty")


class TaskOptions(BaseModel):
    """Options of one message; what is None is not sent, and the function's parameters hold.

    Attributes:
        task_id: the task's id; default: a new UUIDv7. An integer becomes text.
        publish_time: seconds since the epoch; default: now.
        publish_time_format: the same as text; default: now.
        max_retry_times: instead of the function's; 0 is respected.
        function_timeout: seconds, instead of the function's; 0 is none.
        msg_expire_seconds: instead of the function's; 0 is none.
        is_using_rpc_mode: instead of the function's: whether a result comes back.
        do_task_filtering: instead of the function's.
        filter_str: stands for the arguments when equal tasks are filtered.
        is_print_detail_exception: instead of the function's.
        countdown: seconds to wait from now; or else `eta`.
        eta: when to run: a datetime or ISO text; without an offset it is read in the setting `timezone`.
        misfire_grace_time: drop it if it could begin only so many seconds late; default: run it however late.
        priority: 0 (low) and up, on brokers that have priorities; also read from
            `other_extra_params={"priority": n}` and its old spelling "priroty".
        user_extra_info: a dict for the user's own purposes.
        other_extra_params: a dict for the broker's own purposes.

    Raises:
        ConfigurationError: a name is unknown (suggests the nearest) or a value not valid.
        UnsupportedFeature: this version cannot do it yet; the other fields are such.
    """

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True, frozen=True, defer_build=True)

    task_id: str | None = None
    publish_time: float | None = None
    publish_time_format: str | None = None
    function_timeout: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    max_retry_times: int | None = Field(default=None, ge=0)
    is_print_detail_exception: bool | None = None
    msg_expire_seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    is_using_rpc_mode: bool | None = None
    do_task_filtering: bool | None = None
    countdown: float | None = Field(default=None, allow_inf_nan=False)
    eta: datetime | str | None = None
    misfire_grace_time: int | None = Field(default=None, ge=1)
    priority: int | None = Field(default=None, ge=0, le=255)
    user_extra_info: dict[str, Any] | None = None
    other_extra_params: dict[str, Any] | None = None
    filter_str: str | None = None
    can_not_json_serializable_keys: list[str] | None = None
    otel_context: dict[str, Any] | None = None

    # Hidden from type checkers, which derive the constructor's parameters from the fields.
    if not TYPE_CHECKING:

        def __init__(self, **given: Any) -> None:
            try:
                super().__init__(**modernised(given, type(self).model_fields.keys(), "TaskOptions"))
            except ValidationError as error:
                raise clear_error(error, "TaskOptions") from None

    def model_post_init(self, _: Any, /) -> None:
        """Refuse what cannot be done."""
        refuse_unbuilt(self.__dict__, dict.fromkeys(self.__dict__), OPTIONS_NOT_BUILT, "TaskOptions")
        if self.countdown is not None and self.eta is not None:
            raise ConfigurationError("give countdown or eta, not both")
        if not isinstance(self.wanted_priority, int):
            raise ConfigurationError(f"a priority must be a whole number, not {self.wanted_priority!r}")

    @property
    def wanted_priority(self) -> int:
        """The priority, from wherever it was given; 0 if nowhere."""
        if self.priority is not None:
            return self.priority
        others = self.other_extra_params or {}
        priority: int = next((others[key] for key in _PRIORITY_KEYS if key in others), 0)
        return priority

    def to_extra(self) -> dict[str, Any]:
        """Return what goes under the message's `extra`."""
        return {name: value for name, value in self.__dict__.items() if value is not None}


PriorityConsumingControlConfig = TaskOptions
"""The older name."""
