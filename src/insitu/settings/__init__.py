"""Settings: read once from the data folder, the environment and the command line, then passed down frozen.

A file is weaker than the environment, and the environment is weaker than a flag::

    $INSITU_HOME/config.toml    [server]
                                port = 8030
    environment                 INSITU_SERVER__PORT=8030
    command line                --set server.port=8030
"""
