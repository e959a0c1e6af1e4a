"""The routes of the third door, one module per part; `cbt_core.http` puts them together."""
