"""What is raised instead of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_core.errors import ConfigurationError, HasNotAsyncResult, TaskFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_core.answer import Answer
    from fsdf_core.answer_reader import AnswerReader


def failure(answer: Answer) -> TaskFailed:
    """Return the error of a task that has no result; its text holds the remote traceback."""
    error = f"{answer.exception_type}: {answer.exception_msg}".removesuffix(": ")
    match answer.state:
        case "dropped":
            said = f"task {answer.task_id} has no result: {answer.reason or error}"
        case "dead-lettered":
            said = f"task {answer.task_id} is on the dead-letter queue ({answer.reason}): {error}"
        case _:
            said = f"task {answer.task_id} failed after {answer.run_times} run(s): {error}"
    if answer.traceback:
        said += f"\nIn the worker:\n{answer.traceback.rstrip()}"
    ran = bool(answer.traceback)
    return TaskFailed(
        said,
        task_id=answer.task_id,
        state=answer.state,
        reason=answer.reason,
        remote_type=answer.exception_type if ran else "",
        text=answer.exception_msg,
        traceback=answer.traceback,
    )


def no_answer(task_ids: Sequence[str], timeout: float, readers: Sequence[AnswerReader]) -> HasNotAsyncResult:
    """Return the error of a wait that ended without an answer."""
    trouble = next((reader.trouble for reader in readers if reader.trouble is not None), None)
    which = f"task {task_ids[0]} has" if len(task_ids) == 1 else f"{len(task_ids)} tasks, {task_ids[0]} first, have"
    said = f"{which} no result after {timeout:g} s"
    if trouble is not None:
        said += f"; the state store could not be asked: {trouble}"
    else:
        said += ": not run yet, still running, or older than rpc_result_expire_seconds"
    error = HasNotAsyncResult(said)
    error.__cause__ = trouble
    return error


def not_asked(task_id: str) -> ConfigurationError:
    """Return the error of a task that sends no result back."""
    return ConfigurationError(
        f"task {task_id} sends no result back: decorate its function with is_using_rpc_mode=True, or publish it "
        "with task_options=TaskOptions(is_using_rpc_mode=True)"
    )
