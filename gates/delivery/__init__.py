"""What a release would take away from the last one."""
