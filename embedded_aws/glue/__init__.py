"""Glue jobs as processes of this machine."""
