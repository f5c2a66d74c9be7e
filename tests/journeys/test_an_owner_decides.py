"""What a data owner does with commands: choose what may run, publish folders and documents, pause, hand over."""

import json
import re
from pathlib import Path

import pytest

from insitu.domain import exit_codes
from tests.journeys.provider import Person, Provider
from tests.journeys.scripts import COUNT, FLIGHTS, written

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]


@pytest.fixture
def table(running: Provider) -> Path:
    """A table at the provider."""
    return written(running.data, "decided.csv", FLIGHTS)


def test_the_publisher_has_to_choose_what_may_run(owner: Person, table: Path) -> None:
    refused = owner.insitu("publish", table, "--price", "1")
    assert refused.code == exit_codes.USAGE
    assert "--allow-any, --allow DID[@CHECKSUM] or --allow-publisher ADDRESS" in refused.err


def test_publishing_twice_gives_the_same_did(owner: Person, table: Path) -> None:
    command = ("publish", table, "--name", "Twice", "--allow-any")
    first, second = owner.succeeds(*command), owner.succeeds(*command)
    assert first.line == second.line
    assert "already published" in second.err


def test_a_typing_error_is_not_published(owner: Person, running: Provider) -> None:
    refused = owner.insitu("publish", running.data / "fligths.csv", "--allow-any", "--json")
    assert (refused.code, refused.problem["code"]) == (exit_codes.NOT_FOUND, "FileMissing")


def test_a_file_outside_of_the_providers_data_is_refused(owner: Person, tmp_path: Path) -> None:
    refused = owner.insitu("publish", written(tmp_path, "private.csv", FLIGHTS), "--allow-any")
    assert refused.code == exit_codes.NOT_ALLOWED
    assert "gateway.data_roots" in refused.err


def test_only_what_the_owner_allows_runs_and_the_refusal_says_what_to_do(
    owner: Person, consumer: Person, table: Path, tmp_path: Path
) -> None:
    allowed = consumer.succeeds("publish", written(tmp_path, "allowed.py", COUNT), "--algorithm").line
    checksum = consumer.succeeds("show", allowed).out.partition("checksum")[2].split()[0]
    flights = owner.succeeds("publish", table, "--name", "Guarded", "--allow", f"{allowed}@{checksum}").line
    assert f"{allowed}@{checksum}" in consumer.succeeds("show", flights).out

    assert consumer.succeeds("run", allowed, "--on", flights).line.startswith("did:nv:"), "free: no question"
    other = written(tmp_path, "other.py", COUNT + "\n")
    refused = consumer.insitu("run", other, "--on", flights)
    assert refused.code == exit_codes.NOT_ALLOWED
    assert "AlgorithmNotAllowed" in refused.err
    assert "→ Use an algorithm that the service's policy lists" in refused.err
    for asked in (["check", consumer.workflow(other, flights)], ["check", other, "--on", flights]):
        checked = consumer.insitu(*asked, "--json")
        assert checked.code == exit_codes.NOT_ALLOWED
        assert checked.json["reasons"][0]["code"] == "AlgorithmNotAllowed"


def test_another_checksum_than_the_present_one_is_not_allowed(
    owner: Person, consumer: Person, table: Path, tmp_path: Path
) -> None:
    algorithm = consumer.succeeds("publish", written(tmp_path, "changed.py", COUNT), "--algorithm").line
    refused = owner.insitu("publish", table, "--allow", f"{algorithm}@{'0' * 64}", "--json")
    assert (refused.code, refused.problem["code"]) == (exit_codes.CONFLICT, "ChecksumMismatch")


def test_a_price_and_rules_change_under_the_same_did(
    owner: Person, consumer: Person, running: Provider, table: Path, tmp_path: Path
) -> None:
    did = owner.succeeds("publish", table, "--name", "Changing", "--price", "10", "--allow-any").line
    unattended = owner.insitu("update", did, "--price", "12")
    assert unattended.code == exit_codes.USAGE
    assert "confirm it with --yes" in unattended.err
    assert consumer.insitu("update", did, "--price", "0", "--yes", "--json").problem["code"] == "NotOwner"

    changed = owner.succeeds("update", did, "--price", "12", "--logs", "none", "--description", "All of 2013", "--yes")
    assert changed.line == did
    assert "compute price: 10 NVM → 12 NVM" in changed.err
    assert "12 NVM for each agreement" in consumer.succeeds("show", did).out
    assert owner.succeeds("update", did, "--price", "12", "--yes", "--json").json["transaction"] is None

    patch = written(tmp_path, "patch.json", json.dumps({"main": {"license": "CC0"}, "services": []}))
    algorithm = consumer.succeeds("publish", written(tmp_path, "only.py", COUNT), "--algorithm").line
    other = written(running.data, "changing.csv", FLIGHTS)
    told = owner.succeeds("update", did, other, "--from", patch, "--allow", algorithm, "--yes", "--json").json
    assert any(text.startswith("metadata license: ") for text in told["changes"])
    assert any(text.startswith("compute policy.algorithms: any → ") for text in told["changes"])
    refused = consumer.insitu("check", written(tmp_path, "another.py", COUNT + "\n"), "--on", did, "--json")
    assert refused.json["reasons"][0]["code"] == "AlgorithmNotAllowed"

    listed = consumer.succeeds("show", did, "--versions").out
    assert [line.split(",")[0] for line in listed.splitlines() if line.startswith("version")] == [
        "version 3",
        "version 2",
        "version 1",
    ]
    assert "compute policy.logs: live → none" in listed
    versions = consumer.succeeds("show", did, "--versions", "--json").json
    assert [version["number"] for version in versions] == [3, 2, 1]
    assert versions[0]["checksum"] == told["checksum"]


def test_a_folder_keeps_the_paths_of_its_files(
    owner: Person, consumer: Person, running: Provider, tmp_path: Path
) -> None:
    folder = running.data / "years"
    for year in ("2012", "2013"):
        (folder / year).mkdir(parents=True)
        written(folder / year, "flights.csv", FLIGHTS)
    years = owner.succeeds("publish", folder, "--allow-any").line
    consumer.succeeds("run", written(tmp_path, "count.py", COUNT), "--on", years, "-o", tmp_path / "out")
    assert (tmp_path / "out" / "count.txt").read_text() == "7\n"
    assert " 8 lines" in (tmp_path / "out" / "logs" / "console.log").read_text()


SPARK = """
import os
os.chdir("/mnt/output")
for name, text in (("part-0000.csv", "a,b"), ("_SUCCESS", ""), (".part-0000.csv.crc", "crc"), (".git/config", "x")):
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    open(name, "w").write(text)
"""
PACKED = """
import gzip
open("/mnt/output/result.csv", "wb").write(gzip.compress(b"every row"))
"""


def test_tables_leave_as_what_they_are_and_hidden_files_stay(
    owner: Person, consumer: Person, table: Path, tmp_path: Path
) -> None:
    refused = owner.insitu("publish", table, "--allow-any", "--output-type", ".dcm")
    assert refused.code == exit_codes.INVALID
    assert "write .dcm=binary or .dcm=text" in refused.err
    tables = owner.succeeds("publish", table, "--name", "Tables only", "--allow-any", "--output-type", ".csv").line
    ran = consumer.succeeds("run", written(tmp_path, "spark.py", SPARK), "--on", tables, "-o", tmp_path / "out")
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {path for path in found if not path.startswith("logs/")} == {"part-0000.csv", "_SUCCESS"}
    assert "left out: 2 files or folders: their names begin with a dot" in ran.err
    packed = consumer.insitu("run", written(tmp_path, "packed.py", PACKED), "--on", tables)
    assert packed.code == exit_codes.EXECUTION_FAILED
    assert "result.csv is not what .csv says: UTF-8 text without NUL" in packed.err


ROWS = """
for number in range(100_000):
    print(f"1969-07-20,patient {number},170 cm,70 kg")
open("/mnt/output/everything.parquet", "w").write("patient" * 1000)
"""
SILENT = "print(42)\n"


def test_printed_rows_leave_only_as_far_as_the_owner_allows(
    owner: Person, consumer: Person, table: Path, tmp_path: Path
) -> None:
    limits = ("--allow-any", "--max-output", "1kb", "--output-type", ".csv")
    published = owner.succeeds("publish", table, "--name", "Printed", *limits)
    assert "one execution: at most 1.0 kB in files and 1.0 kB of log text" in published.err
    assert "one agreement of 101 executions: at most 202.0 kB" in consumer.succeeds("show", published.line).out
    ran = consumer.insitu("run", written(tmp_path, "rows.py", ROWS), "--on", published.line)
    assert ran.code == exit_codes.EXECUTION_FAILED
    assert len("".join(line for line in ran.err.splitlines() if "patient" in line)) < 2000
    assert "no more log text" in ran.err or "no log text of this execution is shown any more" in ran.err
    execution = next(iter(re.findall(r"\bwx[a-z2-7]{26}\b", ran.err)))
    later = consumer.succeeds("logs", execution)
    assert "patient" not in later.out
    assert "the output was rejected" in later.err


def test_an_execution_that_brings_nothing_costs_nothing_and_says_so(
    owner: Person, consumer: Person, table: Path, tmp_path: Path
) -> None:
    data = owner.succeeds("publish", table, "--name", "Quiet", "--price", "2", "--allow-any", "--logs", "none").line
    ran = consumer.succeeds("run", written(tmp_path, "silent.py", SILENT), "--on", data, "--yes")
    assert "charged nothing" in ran.err
    assert "NothingDelivered: neither a file nor log text was delivered" in ran.err
    shown = owner.succeeds("publish", table, "--name", "Said", "--price", "2", "--allow-any").line
    ran = consumer.succeeds("run", written(tmp_path, "silent.py", SILENT), "--on", shown, "--yes")
    assert "charged 2 NVM" in ran.err
    assert "NothingDelivered" not in ran.err


def test_a_document_is_validated_then_published(owner: Person, consumer: Person, table: Path, tmp_path: Path) -> None:
    published = owner.succeeds("publish", table, "--name", "Pattern", "--allow-any").line
    document = consumer.succeeds("did", "resolve", published).json
    path = written(tmp_path, "ddo.json", json.dumps(document))
    assert owner.succeeds("validate", path).out.startswith("valid: dataset did:nv:")
    metadata = document["service"][0]["attributes"]
    metadata["main"]["name"] = "Second edition"
    copied = owner.insitu("publish", "--document", written(tmp_path, "copied.json", json.dumps(document)))
    assert (copied.code, "sealed" in copied.err) == (exit_codes.INVALID, True), "the list is the first document's"
    del metadata["encryptedFiles"]
    metadata["main"]["files"][0]["url"] = table.as_uri()
    second = owner.succeeds("publish", "--document", written(tmp_path, "second.json", json.dumps(document))).line
    assert second != published
    assert "Second edition" in consumer.succeeds("show", second).out

    document["service"][1]["attributes"]["main"]["price"] = "-1"
    refused = owner.insitu("validate", written(tmp_path, "wrong.json", json.dumps(document)), "--json")
    assert refused.code == exit_codes.INVALID
    assert any(problem["pointer"].endswith("/price") for problem in refused.problem["problems"])


def test_an_algorithm_says_that_it_is_unlisted_and_how_to_list_it(
    owner: Person, consumer: Person, tmp_path: Path
) -> None:
    published = consumer.succeeds("publish", written(tmp_path, "seldom.py", COUNT), "--algorithm", "--name", "Seldom")
    did = published.line
    assert (
        f"unlisted, version 1: only a search for its owner finds it; to let strangers find it: insitu list {did}"
        in (published.err)
    )
    assert f"insitu list {did}" in consumer.succeeds("show", did).out
    nothing = owner.succeeds("search", "Seldom")
    assert "nothing found; algorithms, workflows and results are unlisted" in nothing.err
    account = consumer.succeeds("publish", tmp_path / "seldom.py", "--algorithm", "--name", "Seldom", "--json").json
    own = owner.succeeds("search", "Seldom", "--owner", account["owner"])
    assert did in own.out
    assert f"unlisted, so strangers do not find it: {did}" in own.err

    refused = owner.insitu("list", did, "--json")
    assert (refused.code, refused.problem["code"]) == (exit_codes.NOT_ALLOWED, "NotOwner")
    assert consumer.succeeds("list", did).line == f"{did}  listed, version 1"
    assert did in owner.succeeds("search", "Seldom").out
    hidden = owner.insitu("hide", did, "--reason", "spam", "--json")
    assert (hidden.code, hidden.problem["code"]) == (exit_codes.NOT_ALLOWED, "NotCurator")


def test_a_paused_asset_leaves_the_lists_and_comes_back(owner: Person, consumer: Person, table: Path) -> None:
    did = owner.succeeds("publish", table, "--name", "Seasonal", "--allow-any").line
    assert owner.succeeds("pause", did).line == f"retired {did}"
    assert did not in consumer.succeeds("search", "Seasonal").out
    assert "retired" in consumer.succeeds("show", did).out
    assert owner.succeeds("resume", did).line.endswith(did)
    assert did in consumer.succeeds("search", "Seasonal").out
    stranger = consumer.insitu("pause", did, "--json")
    assert (stranger.code, stranger.problem["code"]) == (exit_codes.NOT_ALLOWED, "NotOwner")


def test_a_data_set_is_paused_at_once_and_comes_back(
    owner: Person, consumer: Person, table: Path, tmp_path: Path
) -> None:
    script = written(tmp_path, "count.py", COUNT)
    did = owner.succeeds("publish", table, "--name", "Withdrawn", "--allow-any").line
    owner.succeeds("pause", did, "--now", "--stop-running")
    refused = consumer.insitu("check", script, "--on", did, "--json")
    assert refused.code == exit_codes.NOT_ALLOWED
    assert "NotDIDProvider" in refused.out
    owner.succeeds("resume", did)
    assert did in consumer.succeeds("search", "Withdrawn").out
    for asked in (["check", script, "--on", did], ["show", did]):
        assert "not after the first success" in consumer.succeeds(*asked).out


def test_an_asset_is_handed_over_for_good(owner: Person, consumer: Person, running: Provider, table: Path) -> None:
    did = owner.succeeds("publish", table, "--name", "Legacy", "--allow-any").line
    second = running.announced["accounts"]["second-owner"]
    unasked = owner.insitu("transfer", did, second)
    assert unasked.code == exit_codes.USAGE
    assert "--yes" in unasked.err
    owner.succeeds("transfer", did, second, "--yes")
    assert second in consumer.succeeds("show", did).out
    late = owner.insitu("transfer", did, second, "--yes", "--json")
    assert late.code == exit_codes.NOT_ALLOWED
