"""Least privilege, tried out: an action is taken from a role of the deployed `dev`, and what needs it must fail."""
