"""Lambda functions and event source mappings as AWS runs them."""
