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
_OFF_ANYWAY = ("is_using_rpc_mode", "do_task_filtering")


class TaskOptions(BaseModel):
    """Options of one message; what is None is not sent, and the function's parameters hold.

    Attributes:
        task_id: the task's id; default: a new UUIDv7. An integer becomes text.
        publish_time: seconds since the epoch; default: now.
        publish_time_format: the same as text; default: now.
        max_retry_times: instead of the function's; 0 is respected.
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
    function_timeout: float | None = None
    max_retry_times: int | None = Field(default=None, ge=0)
    is_print_detail_exception: bool | None = None
    msg_expire_seconds: float | None = None
    is_using_rpc_mode: bool | None = None
    do_task_filtering: bool | None = None
    countdown: float | None = None
    eta: datetime | str | None = None
    misfire_grace_time: int | None = None
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
        # Switching off what is never on is no request.
        asked = {**self.__dict__, **{name: self.__dict__[name] or None for name in _OFF_ANYWAY}}
        refuse_unbuilt(asked, dict.fromkeys(asked), OPTIONS_NOT_BUILT, "TaskOptions")
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
