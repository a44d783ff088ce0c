"""What the switches of an environment that are off would add to a month: the interface endpoints that each needs."""

from gates.cost.prices import HOURS, Line
from stacks import config

SWITCHES = {
    "extraction.private": config.EXTRACTION_ENDPOINTS,
    **{f"warehouse.{name}": (endpoint,) for name, endpoint in config.OPTION_ENDPOINTS.items()},
}


def off(environment: str) -> list[Line]:
    """A line for each switch that is off: hours of the endpoints that are not there yet, one interface in each zone."""
    settings = config.load(environment)
    lines = []
    for switch, endpoints in SWITCHES.items():
        section, _, key = switch.partition(".")
        if not getattr(getattr(settings, section), key):
            added = [name for name in endpoints if name not in settings.interface_endpoints]
            hours = len(added) * len(settings.availability_zones) * HOURS
            lines.append(Line(f"endpoints of {', '.join(endpoints)}", hours, "endpoint-hour", f"`{switch}: true`"))
    return lines
