"""`getResolvedOptions` as Glue has it.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html
"""


class GlueArgumentError(Exception):
    """A required argument is missing."""


def getResolvedOptions(args: list[str], options: list[str]) -> dict[str, str]:  # noqa: N802 (Glue's name)
    """The named options of `--name value` or `--name=value` arguments. Raises GlueArgumentError when one is missing."""
    found: dict[str, str] = {}
    position = 0
    while position < len(args):
        argument = args[position]
        position += 1
        if not argument.startswith("--"):
            continue
        name, equals, value = argument[2:].partition("=")
        if not equals:
            value = args[position] if position < len(args) else ""
            position += 1
        found[name] = value
    missing = [name for name in options if name not in found]
    if missing:
        raise GlueArgumentError(f"the following arguments are required: {', '.join('--' + name for name in missing)}")
    return {name: found[name] for name in options}
