"""Runs the scripts on the connection that `yinxin.base.schema` passes in."""

from alembic import context
from sqlmodel import SQLModel

from yinxin.base.schema import OPTIONS

context.configure(
    connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata, **OPTIONS
)
with context.begin_transaction():
    context.run_migrations()
