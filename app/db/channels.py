"""The names under which the database tells its listeners that something happened."""

CHANGES = "chancery_changes"
"""Notified by whoever writes to the journal; heard once the transaction has committed."""
