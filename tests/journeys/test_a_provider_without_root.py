"""A provider started by a plain user runs sealed, says what has no limit, and sells to strangers only if told to."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.provider import Person, Provider, build_image, start
from tests.parts import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]

STRANGER = 61_235
"""A user who never logged in and so has no delegated control groups."""
SCRIPT = "import os\nopen(os.environ['NEVERMINED_OUTPUTS_PATH'] + '/out.txt', 'w').write('42')\nprint('counted')\n"


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder of this user, with an image and data."""
    if any(not folder.stat().st_mode & 0o001 for folder in (ROOT, *ROOT.parents)):
        pytest.skip("another user cannot read this clone")
    folder = Path(tempfile.mkdtemp(prefix="insitu-plain-"))
    (folder / "data").mkdir()
    (folder / "data" / "words.txt").write_text("one two\n")
    (folder / "home").mkdir()
    for path in (folder, folder / "data", folder / "home"):
        os.chown(path, STRANGER, STRANGER)
        path.chmod(0o755)
    build_image(folder / "home", STRANGER)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def stingy(home: Path) -> Iterator[Provider]:
    """An installation that sells to strangers: nothing without a limit is allowed."""
    provider = start(home / "home", home / "data", "operator.allow_unlimited=false", user=STRANGER)
    yield provider
    assert provider.stop() == 0
    provider.close()


def published(provider: Provider) -> str:
    return (
        provider.person("owner")
        .succeeds("publish", str(provider.data / "words.txt"), "--price", "3", "--allow-any", "--name", "words")
        .line
    )


def bought(consumer: Person) -> str:
    return consumer.succeeds("agreements").out


def test_what_cannot_be_limited_is_not_sold_and_the_reason_is_given_at_once(
    stingy: Provider, home: Path, tmp_path: Path
) -> None:
    data, consumer = published(stingy), stingy.person("consumer")
    (tmp_path / "count.py").write_text(SCRIPT)
    before = bought(consumer)
    ended = consumer.insitu("run", tmp_path / "count.py", "--on", data, "--yes")
    assert ended.code != 0
    assert "RuntimeUnavailable: memory cannot be limited here" in ended.err
    assert "operator.allow_unlimited" in ended.err
    assert bought(consumer) == before, "nothing was bought"
    assert "executions are refused: RuntimeUnavailable: memory cannot" in (home / "home" / "up.log").read_text()


def test_beside_a_development_chain_it_runs_and_the_receipt_says_what_nothing_limited(
    home: Path, tmp_path: Path
) -> None:
    place = home / "own"
    place.mkdir()
    os.chown(place, STRANGER, STRANGER)
    (place / "images").symlink_to(home / "home" / "images")
    provider = start(place, home / "data", user=STRANGER)
    try:
        data, consumer = published(provider), provider.person("consumer")
        (tmp_path / "count.py").write_text(SCRIPT)
        ended = consumer.succeeds("run", tmp_path / "count.py", "--on", data, "--yes", "-o", tmp_path / "out")
        assert (tmp_path / "out" / "out.txt").read_text() == "42"
        execution = next(word for word in ended.err.split() if word.startswith("wx"))
        consumer.succeeds("receipt", execution, "-o", tmp_path / "receipt.json")
        printed = consumer.succeeds("verify", tmp_path / "receipt.json").out
        assert "memory: none" in printed
        assert "cpu: none" in printed
        assert "network: namespace" in printed
    finally:
        assert provider.stop() == 0
        provider.close()
