"""The configuration: one TOML file, read into values or refused in one line.

Every key is optional.  Whatever is in the file is checked before anything starts, the sections of
views that are switched off included, so that a mistake shows on the day it is made.

``values`` has the sections and their defaults, ``checks`` what a single value may be, ``reading``
the file, and what does not go together.
"""

from hargassner.config.checks import is_on_loopback
from hargassner.config.reading import ConfigError, config_from, find_config, load_config
from hargassner.config.values import (
    BoilerConfig,
    Config,
    ControlConfig,
    DiscoveryConfig,
    GatewayConfig,
    HomeAssistantConfig,
    ManholeConfig,
    MqttConfig,
    RecordingConfig,
    StateConfig,
    WebConfig,
)

__all__ = [
    "BoilerConfig",
    "Config",
    "ConfigError",
    "ControlConfig",
    "DiscoveryConfig",
    "GatewayConfig",
    "HomeAssistantConfig",
    "ManholeConfig",
    "MqttConfig",
    "RecordingConfig",
    "StateConfig",
    "WebConfig",
    "config_from",
    "find_config",
    "is_on_loopback",
    "load_config",
]
