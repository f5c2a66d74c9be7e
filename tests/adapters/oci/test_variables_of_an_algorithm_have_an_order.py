"""The variables of an algorithm on one machine: what its plan says, then its image, then what we tell it."""

from insitu.adapters.runtime.oci.staging import sandbox_environment
from insitu.domain.granted_resources import resource_variables
from tests.doubles.plans import LIMITS, stage_of

OURS = resource_variables(LIMITS)


def test_an_image_that_knows_better_is_believed() -> None:
    found = sandbox_environment({"OMP_NUM_THREADS": "3"}, stage_of(0), LIMITS)
    assert found["OMP_NUM_THREADS"] == "3"
    assert found["GOMAXPROCS"] == OURS["GOMAXPROCS"]


def test_a_plan_counts_more_than_the_image() -> None:
    stage = stage_of(0).model_copy(update={"environment": {"OMP_NUM_THREADS": "5"}})
    assert sandbox_environment({"OMP_NUM_THREADS": "3"}, stage, LIMITS)["OMP_NUM_THREADS"] == "5"


def test_no_image_moves_the_place_for_temporary_files() -> None:
    found = sandbox_environment({"HOME": "/root", "TMPDIR": "/var/tmp", "USER": "root"}, stage_of(0), LIMITS)
    assert (found["HOME"], found["TMPDIR"], found["USER"]) == ("/tmp", "/tmp", "sandbox")
