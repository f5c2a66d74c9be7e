"""What may run on a data set is its publisher's decision, so the command line never makes it for them."""

from pathlib import Path

import pytest

from insitu.cli.app import run
from insitu.cli.publishing import name_of_files, named_files
from insitu.domain import exit_codes
from insitu.domain.errors import InsituError

DID = "did:nv:" + "a" * 64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["table.csv"], "say what may run on this data set"),
        (["count.py"], "or publish an algorithm with --algorithm"),
        ([], "name a file, a folder or a URL"),
        (["table.csv", "--allow-any", "--allow", DID], "--allow-any already allows everything"),
        (["count.py", "--algorithm", "--allow-any"], "it is for data sets"),
        (["table.csv", "--document", "ddo.json"], "--document already says everything"),
        (["table.csv", "--allow-any", "--timeout", "soon"], "is not a length of time like 3600, 90min, 12h or 30d"),
        (["table.csv", "--allow-any", "--max-files", "0"], "0"),
    ],
)
def test_what_does_not_fit_is_a_usage_error(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["publish", *arguments]) == exit_codes.USAGE
    assert message in capsys.readouterr().err


def test_a_folder_stands_for_its_files_under_their_paths(tmp_path: Path) -> None:
    (tmp_path / "2013").mkdir()
    (tmp_path / "2013" / "b.csv").write_text("1\n")
    (tmp_path / "a.json").write_text("{}")
    described = named_files([str(tmp_path)])
    assert [one["name"] for one in described if isinstance(one, dict)] == ["2013/b.csv", "a.json"]
    assert described[0] == {
        "url": (tmp_path / "2013" / "b.csv").as_uri(),
        "name": "2013/b.csv",
        "contentType": "text/csv",
        "contentLength": "2",
    }


def test_urls_are_taken_as_they_are() -> None:
    assert named_files(["https://example.org/table.csv", "file:///srv/data/x.csv"]) == [
        "https://example.org/table.csv",
        "file:///srv/data/x.csv",
    ]


@pytest.mark.parametrize("name", ["missing.csv", "empty"])
def test_what_leads_to_no_file_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InsituError, match="FileMissing"):
        named_files([str(tmp_path / name)])


@pytest.mark.parametrize(
    ("files", "name"), [(["a/flights.csv"], "flights"), (["https://example.org/x/table.parquet?a=b"], "table")]
)
def test_a_data_set_without_a_name_gets_its_first_files(files: list[str], name: str) -> None:
    assert name_of_files(files) == name
