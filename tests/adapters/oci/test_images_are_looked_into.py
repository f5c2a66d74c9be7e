"""The content of an image is found only from its files: nothing in it runs, and no link leads out of it."""

import json
from pathlib import Path

import pytest

from insitu.adapters.runtime.oci.images.contents import find_contents
from insitu.adapters.runtime.oci.images.store import ImageStore
from insitu.domain.image_contents import ImageContents
from tests.adapters.oci.layouts import Layout, file, folder, link

PYTHON = (
    folder("usr"),
    folder("usr/bin"),
    file("usr/bin/python3.12", mode=0o755),
    link("usr/bin/python3", "/usr/bin/python3.12"),
    link("bin", "usr/bin"),
    folder("opt"),
    folder("opt/bin"),
    link("opt/bin/java", "../../../../../../../../bin/true"),
    folder("opt/lib"),
    folder("opt/lib/python3.9"),
    folder("opt/lib/python3.9/site-packages"),
    folder("opt/lib/python3.9/site-packages/pandas"),
    folder("opt/lib/python3.9/site-packages/pandas-2.0.dist-info"),
    folder("opt/lib/python3.9/site-packages/__pycache__"),
    file("opt/lib/python3.9/site-packages/six.py"),
    file("opt/lib/python3.9/site-packages/fast.cpython-39-x86_64-linux-gnu.so"),
    file("opt/lib/python3.9/site-packages/README.txt"),
    folder("usr/lib"),
    folder("usr/lib/python3.12"),
    folder("usr/lib/python3.12/dist-packages"),
)
FOUND = ImageContents(programs=("python3",), python="3.12", modules=("fast", "pandas", "six"))


async def test_an_imported_image_has_a_label_that_stays_with_it(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    layout.index(layout.image(PYTHON))
    store = ImageStore(tmp_path / "images")
    image = await store.import_path(layout.root, "group/tool", "1")
    assert ImageContents.model_validate(image.contents) == FOUND
    (again,) = await ImageStore(tmp_path / "images").list()
    assert ImageContents.model_validate(again.contents) == FOUND


async def test_an_image_of_an_older_version_gets_its_label_with_the_next_import(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    layout.index(layout.image(PYTHON))
    store = ImageStore(tmp_path / "images")
    image = await store.import_path(layout.root, "group/tool", "1")
    (kept,) = (tmp_path / "images" / "sha256").glob("*/image.json")
    facts = json.loads(kept.read_text())
    del facts["contents"]
    kept.write_text(json.dumps(facts))
    assert (await store.find(image.digest)).contents is None
    assert (await store.import_path(layout.root, "group/tool", "1")).contents is not None
    assert (await store.find(image.digest)).contents is not None


@pytest.mark.parametrize("path", ["", "relative", "/../../usr/bin", "/no\0where"])
def test_a_path_of_the_image_cannot_leave_it(tmp_path: Path, path: str) -> None:
    (tmp_path / "usr").mkdir()
    assert find_contents(tmp_path, {"PATH": path}) == ImageContents()
