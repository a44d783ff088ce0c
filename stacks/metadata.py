"""Keys of a template's Metadata that the gates read. Kept apart from CDK, which starts Node when it is imported."""

REASONS = "solvent:wildcards"  # of a policy: Sid -> why the statement needs its wildcard
