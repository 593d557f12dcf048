"""Folders, tables, arrays, shards and data sets of others, each read into records."""
