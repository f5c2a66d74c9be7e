"""How large a request body may be where it may be larger than usual."""

from collections.abc import Mapping

from insitu.api.gateway_v1 import BASE, RPC, TICKET_FINISH, TICKET_OUTPUTS
from insitu.gateway.configuration import GatewayConfiguration

MIB = 1024 * 1024
LARGEST_CALL = 64 * 1024
"""A call of the chain that only reads, or a signed request to the registry."""
LARGEST_REPORT = 16 * MIB
LARGEST_OUTPUT = 2**50
"""The plan limits the output of an execution, and the ticket names the plan."""
LARGEST_LIST = 8 * MIB
"""A list of ten thousand files with their urls."""


def body_limits(configuration: GatewayConfiguration) -> Mapping[str, int]:
    """Return the limits in bytes, by the beginning of the path."""
    return {
        BASE + "/upload": configuration.upload_bytes + MIB,
        BASE + "/encrypt": LARGEST_LIST,
        BASE + "/requests": LARGEST_CALL,
        RPC: LARGEST_CALL,
        TICKET_OUTPUTS: LARGEST_OUTPUT,
        TICKET_FINISH: LARGEST_REPORT,
    }
