"""The main job with commands alone: publish, find, look, check, run, read, fetch, verify, release."""

import json
from pathlib import Path

import pytest

from insitu.domain import exit_codes
from tests.journeys.provider import Person, Provider
from tests.journeys.scripts import COUNT, FAILING, FLIGHTS, SLEEPING, written

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]

ONCE = COUNT + "# A script of this file alone, since others publish theirs at the same provider.\n"


@pytest.fixture(scope="module")
def flights(running: Provider) -> str:
    """The DID of a data set for 10 tokens."""
    table = written(running.data, "flights.csv", FLIGHTS)
    return running.person("owner").succeeds("publish", table, "--name", "Flights", "--price", "10", "--allow-any").line


@pytest.fixture(scope="module")
def run_once(running: Provider, flights: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An execution that succeeded, as JSON."""
    folder = tmp_path_factory.mktemp("consumer")
    script, out = written(folder, "count.py", ONCE), folder / "out"
    ran = running.person("consumer").succeeds(
        "run", script, "--on", flights, "--carrier=UA", "--yes", "--json", "-o", out
    )
    assert (out / "count.txt").read_text() == "2\n"
    answer: dict[str, str] = ran.json
    return answer


def test_a_data_set_is_found_and_says_what_it_costs(consumer: Person, flights: str) -> None:
    listed = consumer.succeeds("search", "flights", "--type", "dataset")
    assert flights in listed.out
    assert "10 NVM" in listed.out
    shown = consumer.succeeds("show", flights).out
    assert "listed" in shown
    assert "10 NVM for each agreement" in shown
    assert "insitu/python:latest@sha256:" in shown


def test_nothing_is_bought_unless_somebody_says_yes(consumer: Person, flights: str, tmp_path: Path) -> None:
    before = len(consumer.succeeds("agreements", "--json").json)
    refused = consumer.insitu("run", written(tmp_path, "count.py", COUNT), "--on", flights)
    assert refused.code == exit_codes.USAGE
    assert "10 NVM to 0x" in refused.err
    assert "--yes" in refused.err
    assert len(consumer.succeeds("agreements", "--json").json) == before


def test_a_higher_price_than_allowed_is_refused_before_money_moves(
    consumer: Person, flights: str, tmp_path: Path
) -> None:
    script = written(tmp_path, "count.py", COUNT)
    refused = consumer.insitu("run", script, "--on", flights, "--yes", "--max-price", "9.5", "--json")
    assert refused.code == exit_codes.CONFLICT
    assert refused.problem["code"] == "PriceTooHigh"


def test_the_run_prints_the_new_did_alone_on_standard_output(
    consumer: Person, flights: str, run_once: dict[str, str], tmp_path: Path
) -> None:
    ran = consumer.succeeds("run", written(tmp_path, "count.py", ONCE), "--on", flights, "--carrier=UA", "--yes")
    assert ran.line.startswith("did:nv:")
    assert ran.line != run_once["resultDid"], "every result is a new asset"
    assert ran.err.count("already published") == 2, "algorithm and workflow are reused"
    dids = [line.split()[1] for line in ran.err.splitlines() if line.startswith(("algorithm ", "workflow "))]
    blocks = {consumer.succeeds("show", did, "--versions", "--json").json[0]["block"] for did in dids}
    assert (len(dids), len(blocks)) == (2, 1), "one signature registered both"
    assert "  | reading 4 lines\n" in ran.err, "what a terminal would obey is removed from the algorithm's output"
    assert "Succeeded" in ran.err
    assert "charged 10 NVM" in ran.err


def test_the_result_is_an_asset_of_the_consumer(consumer: Person, run_once: dict[str, str], tmp_path: Path) -> None:
    shown = consumer.succeeds("result", run_once["workflowExecutionId"], "--json").json
    assert shown["did"] == run_once["resultDid"]
    assert {file["name"] for file in shown["files"]} == {"count.txt", "logs/console.log"}
    paths = consumer.succeeds("result", run_once["workflowExecutionId"], "-o", tmp_path / "again").out.splitlines()
    assert sorted(Path(path).name for path in paths) == ["console.log", "count.txt"]
    resolved = consumer.succeeds("did", "resolve", run_once["resultDid"]).json
    assert "count.txt" not in json.dumps(resolved), "names may reveal what the data is about"
    assert "matches the rule of insitu" in consumer.succeeds("did", "verify", run_once["resultDid"]).out


def test_what_cannot_run_leaves_nothing_registered(consumer: Person, flights: str, tmp_path: Path) -> None:
    fresh = written(tmp_path, "unseen.py", COUNT + "# not published yet\n")
    nobody = "did:nv:" + "0" * 64
    mistakes: dict[str, tuple[int, list[str | Path]]] = {
        "a data set that is not there": (exit_codes.NOT_FOUND, [fresh, "--on", nobody, "--yes"]),
        "an image that is not allowed": (exit_codes.NOT_ALLOWED, [fresh, "--on", flights, "--image", "no:1", "--yes"]),
        "a server that is not offered": (exit_codes.NOT_ALLOWED, [fresh, "--on", flights, "--server", "x", "--yes"]),
        "a price above the limit": (exit_codes.CONFLICT, [fresh, "--on", flights, "--max-price", "9", "--yes"]),
        "a price that is none": (exit_codes.INVALID, [fresh, "--on", flights, "--max-price", "zzz", "--yes"]),
        "nobody who says yes": (exit_codes.USAGE, [fresh, "--on", flights]),
    }
    for mistake, (code, arguments) in mistakes.items():
        refused = consumer.insitu("run", *arguments)
        assert refused.code == code, (mistake, refused.err)
        assert "published" not in refused.err, mistake
        assert consumer.succeeds("search", "unseen", "--json").json["results"] == [], mistake
    missing = consumer.insitu("run", tmp_path / "no-such.py", "--on", flights, "--yes")
    assert missing.code != exit_codes.OK
    assert "no-such.py" in missing.err


def test_a_script_is_checked_without_publishing_it(consumer: Person, flights: str, tmp_path: Path) -> None:
    fresh = written(tmp_path, "unseen.py", COUNT + "# only checked\n")
    checked = consumer.succeeds("check", fresh, "--on", flights)
    assert checked.out.startswith("allowed")
    assert "10 NVM" in checked.out
    assert consumer.succeeds("check", fresh, "--on", flights, "--json").json["workflowDid"] == ""
    refused = consumer.insitu("check", fresh, "--on", flights, "--server", "x")
    assert refused.code == exit_codes.NOT_ALLOWED
    assert "NoSuitableServer" in refused.err
    assert consumer.insitu("check", fresh).code == exit_codes.USAGE
    assert consumer.succeeds("search", "unseen", "--json").json["results"] == []


def test_a_download_replaces_nothing_that_is_there(
    consumer: Person, flights: str, run_once: dict[str, str], tmp_path: Path
) -> None:
    execution, mine = run_once["workflowExecutionId"], written(tmp_path, "count.txt", "mine")
    bought = len(consumer.succeeds("agreements", "--json").json)
    script = written(tmp_path, "fresh.py", COUNT + "# never published\n")
    refused = consumer.insitu("run", script, "--on", flights, "--carrier=UA", "--yes", "-o", tmp_path, "--json")
    assert (refused.code, refused.problem["code"]) == (exit_codes.CONFLICT, "FolderNotEmpty")
    assert consumer.succeeds("search", "fresh", "--json").json["results"] == [], "nothing was published"
    assert len(consumer.succeeds("agreements", "--json").json) == bought

    out = tmp_path / "out"
    for _ in range(2):
        assert len(consumer.succeeds("result", execution, "-o", out).out.splitlines()) == 2
    (out / "count.txt").write_text("mine")
    refused = consumer.insitu("result", execution, "-o", out)
    assert refused.code == exit_codes.CONFLICT
    assert "--force" in refused.err
    assert (out / "count.txt").read_text() == mine.read_text() == "mine"
    consumer.succeeds("result", execution, "-o", out, "--force")
    assert (out / "count.txt").read_text() == "2\n"


def test_status_and_logs_stay_after_the_end(consumer: Person, run_once: dict[str, str]) -> None:
    agreement = run_once["serviceAgreementId"]
    status = consumer.succeeds("status", agreement).out
    assert "Succeeded" in status
    assert run_once["resultDid"] in status
    assert "settled in 0x" in status
    assert "stage 0: ended in insitu/python:latest" in status
    assert consumer.succeeds("logs", run_once["workflowExecutionId"]).out == "reading 4 lines\n"
    assert consumer.succeeds("executions", agreement, "--json").json[0]["phase"] == "Succeeded"
    assert consumer.succeeds("agreements", agreement, "--json").json["status"] == "settled"


def test_a_receipt_is_checked_offline_and_against_the_chain(
    consumer: Person, running: Provider, run_once: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "receipt.json"
    consumer.succeeds("receipt", run_once["workflowExecutionId"], "-o", path)
    nowhere = Person(tmp_path / "empty", "http://127.0.0.1:9")
    assert "the receipt is valid" in nowhere.succeeds("verify", path).out
    assert "its hash is the one on chain" in consumer.succeeds("verify", path, "--on-chain").out
    consumer.succeeds("result", run_once["workflowExecutionId"], "-o", tmp_path / "out")
    compared = consumer.succeeds("verify", path, "--rpc", running.rpc_url, "--files", tmp_path / "out").out
    assert "its hash is the one on chain" in compared
    assert "the result is registered" in compared
    assert "are those of the result (2 files with" in compared
    released = consumer.insitu("release", path, "--json")
    assert released.code == exit_codes.CONFLICT
    assert released.problem["code"] == "ExecutionAlreadySettled"


def test_a_receipt_with_one_changed_character_does_not_hold(
    consumer: Person, run_once: dict[str, str], tmp_path: Path
) -> None:
    view = consumer.succeeds("receipt", run_once["workflowExecutionId"]).json
    payload = view["envelope"]["payload"]
    view["envelope"]["payload"] = payload[:100] + ("B" if payload[100] == "A" else "A") + payload[101:]
    refused = consumer.insitu("verify", "-", "--json", typed=json.dumps(view))
    assert refused.code == exit_codes.INVALID
    assert refused.problem["code"] == "ReceiptInvalid"


def test_a_failed_algorithm_is_reported_with_its_words_and_costs_nothing_now(
    consumer: Person, flights: str, tmp_path: Path
) -> None:
    ran = consumer.insitu("run", written(tmp_path, "fail.py", FAILING), "--on", flights, "--yes")
    assert ran.code == exit_codes.EXECUTION_FAILED
    assert ran.out == ""
    assert "  | there is no such column\n" in ran.err
    assert "AlgorithmFailed" in ran.err
    assert "→ Read its logs, correct it, and run it again." in ran.err
    failed = consumer.succeeds("executions", "--json").json[0]
    assert failed["reason"]["code"] == "AlgorithmFailed"
    assert not failed["settled"]


def test_a_running_execution_is_stopped_and_its_money_is_not_charged(
    consumer: Person, owner: Person, flights: str, tmp_path: Path
) -> None:
    script = written(tmp_path, "sleep.py", SLEEPING)
    started = consumer.succeeds("run", script, "--on", flights, "--yes", "--no-follow", "--json").json
    ids = started["serviceAgreementId"], started["workflowExecutionId"]
    again = consumer.insitu("run", "--agreement", ids[0], "--json")
    assert (again.code, again.problem["code"]) == (exit_codes.TRY_AGAIN, "ExecutionInProgress")
    assert owner.succeeds("executions", "--json").json[0]["workflowExecutionId"] == ids[1]
    assert owner.succeeds("stop", *ids).line.startswith("Stopped")
    followed = consumer.insitu("status", *ids, "--follow", "--json")
    assert followed.code == exit_codes.EXECUTION_STOPPED
    assert followed.json["reason"]["code"] == "StoppedByOwner"
    assert not followed.json["settled"]
    early = consumer.insitu("refund", ids[0], "--json")
    assert (early.code, early.problem["code"]) == (exit_codes.TRY_AGAIN, "NotTimedOut")
