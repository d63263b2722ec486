"""Runs the scripts on the connection that `yinxin.base.schema` passes in."""

from alembic import context
from sqlmodel import SQLModel

from yinxin.base.schema import options

context.configure(
    connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata, **options()
)
with context.begin_transaction():
    context.run_migrations()
