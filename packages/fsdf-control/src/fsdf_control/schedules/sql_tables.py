"""The tables of the SQL job store, and all that is said to them. Needs SQLAlchemy."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, String, Table, Text, inspect
from sqlalchemy import delete as sql_delete
from sqlalchemy import insert as sql_insert
from sqlalchemy import select as sql_select
from sqlalchemy import update as sql_update
from sqlalchemy.dialects.mysql import MEDIUMTEXT, VARCHAR
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

if TYPE_CHECKING:
    from sqlalchemy import Delete, Engine, Insert, Select, Update

    from fsdf_control.schedules.job import Job

_ONLY_ROW = 1
_MYSQL = ("mysql", "mariadb")
"""Where text is short, and letters of either case are the same, unless told otherwise."""


class Tables:
    """Statements on `fsdf_schedule_job` and `fsdf_schedule_store`."""

    def __init__(self) -> None:
        self._metadata = MetaData()
        self._jobs = Table(
            "fsdf_schedule_job",
            self._metadata,
            Column("namespace", String(64), primary_key=True),
            Column("id", String(191).with_variant(VARCHAR(191, collation="utf8mb4_bin"), *_MYSQL), primary_key=True),
            Column("next_run_time", Double),
            Column("version", BigInteger, nullable=False),
            Column("data", Text().with_variant(MEDIUMTEXT(), *_MYSQL), nullable=False),
        )
        Index("fsdf_schedule_job_due", self._jobs.c.namespace, self._jobs.c.next_run_time)
        self._store = Table(
            "fsdf_schedule_store",
            self._metadata,
            Column("row", Integer, primary_key=True, autoincrement=False),
            Column("identity", String(64), nullable=False),
        )

    def create(self, engine: Engine, identity: str) -> None:
        """Create what is missing; other processes may do so at the same time."""
        missing = {self._jobs.name, self._store.name} - set(inspect(engine).get_table_names())
        if missing:
            try:
                self._metadata.create_all(engine)
            except (OperationalError, ProgrammingError, IntegrityError):
                # Another process was faster by a moment; a true trouble comes again.
                self._metadata.create_all(engine)
        with engine.connect() as connection:
            if connection.execute(self.read_identity()).scalar() is None:
                with suppress(IntegrityError):
                    connection.execute(sql_insert(self._store).values(row=_ONLY_ROW, identity=identity))
                    connection.commit()

    def read_identity(self) -> Select[tuple[str]]:
        """Who is this database."""
        return sql_select(self._store.c.identity).where(self._store.c.row == _ONLY_ROW)

    def insert(self, namespace: str, job: Job, data: str) -> Insert:
        """A new job."""
        return sql_insert(self._jobs).values(
            namespace=namespace, id=job.id, next_run_time=job.next_run_time, version=job.version, data=data
        )

    def update(self, namespace: str, job: Job, data: str, version: int) -> Update:
        """A changed job."""
        jobs = self._jobs.c
        return (
            sql_update(self._jobs)
            .where(jobs.namespace == namespace, jobs.id == job.id, jobs.version == version)
            .values(next_run_time=job.next_run_time, version=job.version, data=data)
        )

    def delete(self, namespace: str, job_id: str, version: int | None) -> Delete:
        """A job that ends."""
        jobs = self._jobs.c
        statement = sql_delete(self._jobs).where(jobs.namespace == namespace, jobs.id == job_id)
        return statement if version is None else statement.where(jobs.version == version)

    def select(
        self, namespace: str, *, job_id: str | None = None, until: float | None = None
    ) -> Select[tuple[str, float, int, str]]:
        """One job, those due, or all."""
        jobs = self._jobs.c
        statement = sql_select(jobs.id, jobs.next_run_time, jobs.version, jobs.data).where(jobs.namespace == namespace)
        if job_id is not None:
            statement = statement.where(jobs.id == job_id)
        if until is not None:
            statement = statement.where(jobs.next_run_time <= until)
        return statement.order_by(jobs.next_run_time, jobs.id)


TABLES = Tables()
