"""The layout of the data folder: the one place that knows what is where."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths below ``$INSITU_HOME``. Nothing is created or read here."""

    home: Path

    @property
    def config(self) -> Path:
        """The settings file, TOML."""
        return self.home / "config.toml"

    @property
    def lock(self) -> Path:
        """Lock held by the one process that uses the folder."""
        return self.home / "lock"

    @property
    def instance(self) -> Path:
        """Name of the process that uses the folder, among a provider's processes. It survives restarts."""
        return self.home / "instance"

    @property
    def keys(self) -> Path:
        """Keystore files, mode 0700."""
        return self.home / "keys"

    @property
    def chain(self) -> Path:
        """State of the embedded chain."""
        return self.home / "chain"

    @property
    def deployments(self) -> Path:
        """Addresses of the contracts on the embedded chain."""
        return self.chain / "deployments.json"

    @property
    def metadata_db(self) -> Path:
        """The catalogue's database."""
        return self.home / "metadata.db"

    @property
    def gateway_db(self) -> Path:
        """The gateway's database."""
        return self.home / "gateway.db"

    @property
    def operator_db(self) -> Path:
        """The operator's database."""
        return self.home / "operator.db"

    @property
    def blobs(self) -> Path:
        """Results and uploads."""
        return self.home / "blobs"

    @property
    def images(self) -> Path:
        """Container images as OCI layouts."""
        return self.home / "images"

    @property
    def runs(self) -> Path:
        """Volumes of executions: ``<execution>/<stage>/<attempt>/``."""
        return self.home / "runs"

    @property
    def logs(self) -> Path:
        """What algorithms wrote, by execution, stage and attempt."""
        return self.home / "logs"
