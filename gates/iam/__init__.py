"""Who may do what: roles against calls, and the policies of what they call."""
