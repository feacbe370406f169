"""The endpoint that the settings ask for, kept usable; see `sirdab.endpoint.selection`.

Importing this module imports no HTTP library.
"""

from sirdab.endpoint.selection.manager import EndpointManager
from sirdab.endpoint.selection.state import EndpointState, RunningServer, StartEmbedded

__all__ = ["EndpointManager", "EndpointState", "RunningServer", "StartEmbedded"]
