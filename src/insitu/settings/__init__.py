"""Settings: read once from the data folder, the environment and the command line, then passed down frozen.

A file is weaker than the environment, and the environment is weaker than a flag::

    $INSITU_HOME/config.toml    [server]
                                port = 8030
    environment                 INSITU_SERVER__PORT=8030
    command line                --set server.port=8030
"""

from insitu.settings.caller import KEY_PASSWORD, CallerVariables, provider_password, read_caller
from insitu.settings.capacity import MachineShare, machine_share
from insitu.settings.folder import DataFolder
from insitu.settings.reading import default_home, read_settings
from insitu.settings.sections import (
    ChainSettings,
    ClusterSettings,
    ContainerOffer,
    GatewaySettings,
    LimitSettings,
    MarketplaceSettings,
    MetadataSettings,
    ObjectStoreSettings,
    OperatorSettings,
    ServerOffer,
    ServerSettings,
    Settings,
    is_loopback,
)

__all__ = [
    "KEY_PASSWORD",
    "CallerVariables",
    "ChainSettings",
    "ClusterSettings",
    "ContainerOffer",
    "DataFolder",
    "GatewaySettings",
    "LimitSettings",
    "MachineShare",
    "MarketplaceSettings",
    "MetadataSettings",
    "ObjectStoreSettings",
    "OperatorSettings",
    "ServerOffer",
    "ServerSettings",
    "Settings",
    "default_home",
    "is_loopback",
    "machine_share",
    "provider_password",
    "read_caller",
    "read_settings",
]
