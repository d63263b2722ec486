"""The scripts that bring the tables to their newest form, run by `yinxin.base.schema`."""
