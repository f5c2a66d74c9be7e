"""The promise to the data scientist: connect, run, download; without ``await``, as in a notebook."""

from pathlib import Path

import pytest

import insitu
from insitu.testing.provider import ProviderProcess


@pytest.fixture
def dataset(provider: ProviderProcess) -> str:
    """A published data set."""
    with provider.client("owner") as owner:
        asset = owner.assets.publish_dataset(
            "three lines", [str(provider.data / "words.txt")], algorithms="any", price=3
        )
        return str(asset.did)


def test_connect_run_download(provider: ProviderProcess, dataset: str, tmp_path: Path) -> None:
    script = tmp_path / "count.py"
    script.write_text(
        "words = open('/mnt/volume1/words.txt').read().split()\nopen('/mnt/output/n', 'w').write(str(len(words)))\n"
    )
    with insitu.connect(provider.url, account="consumer", settings=provider.settings) as client:
        execution = client.run(script, on=dataset)
        assert execution.wait(60).phase == "Succeeded"
        files = execution.download(tmp_path / "out")
    assert {path.name: path.read_text() for path in files}["n"] == "4"
