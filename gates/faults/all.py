"""Every fault there is."""

from gates.faults import policies, state_machines, templates

FAULTS = (*templates.FAULTS, *state_machines.FAULTS, *policies.FAULTS)
