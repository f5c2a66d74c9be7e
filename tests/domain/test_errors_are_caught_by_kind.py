"""An error is of the class that its code's row says, wherever it comes from, and stays so on every way."""

import copy
import pickle
from pathlib import Path

import pytest

import insitu
from insitu.adapters.chain.refusals import NodeError
from insitu.api.errors import Problem
from insitu.domain import errors
from insitu.domain.errors import (
    ERRORS,
    Conflict,
    Failure,
    InsituError,
    InvalidInput,
    LimitReached,
    NotAllowed,
    NotFound,
    TokenError,
    Unavailable,
    Violation,
    class_of,
)

CLASSES = (Conflict, Failure, InvalidInput, LimitReached, NotAllowed, NotFound, TokenError, Unavailable)


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_an_error_is_of_the_class_of_its_code(code: str) -> None:
    error = InsituError(code)
    assert type(error) is class_of(code)
    assert type(error) in CLASSES
    assert isinstance(error, Failure) == (ERRORS[code].status >= 500)


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_a_problem_document_becomes_an_error_of_the_same_class(code: str) -> None:
    problem = Problem.model_validate_json(Problem.of(InsituError(code, "this time", left=3)).model_dump_json())
    again = problem.error()
    assert type(again) is class_of(code)
    assert (again.code, again.detail, again.context) == (code, "this time", {"left": 3})


def test_a_code_of_a_newer_server_is_a_failure() -> None:
    problem = Problem.of(InsituError("NotFound")).model_copy(update={"code": "NotInventedYet"})
    assert type(problem.error()) is Failure


@pytest.mark.parametrize(
    ("code", "caught"),
    [
        ("InvalidDid", InvalidInput),
        ("NotOwner", NotAllowed),
        ("SignatureMismatch", NotAllowed),
        ("TokenExpired", TokenError),
        ("TokenExpired", NotAllowed),
        ("AssetNotFound", NotFound),
        ("ResultExpired", NotFound),
        ("InsufficientFunds", Conflict),
        ("ReceiptInvalid", InvalidInput),
        ("QuotaExceeded", LimitReached),
        ("TransactionFailed", Failure),
        ("PeerUnavailable", Unavailable),
        ("PeerUnavailable", Failure),
    ],
)
def test_a_class_catches_its_codes(code: str, caught: type[InsituError]) -> None:
    with pytest.raises(caught) as raised:
        raise InsituError(code, "this time")
    assert raised.value.code == code


def test_only_the_token_of_a_call_is_a_token_error() -> None:
    """Whoever catches it asks for a new token and calls again, which helps against nothing else."""
    assert {code for code in ERRORS if class_of(code) is TokenError} == {"InvalidToken", "TokenExpired"}


def test_a_class_does_not_take_codes_of_others() -> None:
    assert NotFound("AssetNotFound").code == "AssetNotFound"
    with pytest.raises(TypeError, match="TokenExpired is a TokenError, not a NotFound"):
        NotFound("TokenExpired")


def test_an_unknown_code_is_a_defect() -> None:
    with pytest.raises(KeyError):
        InsituError("NoSuchCode")


def detailed() -> InsituError:
    problems = [Violation("/a", "WrongValue", "a is wrong")]
    error = InsituError("InvalidDocument", "two things", pointer="/a", problems=problems, did="did:nv:1")
    error.add_note("seen in a test")
    return error


ERRORS_TO_CARRY = {
    "plain": InsituError("AssetNotFound"),
    "with everything": detailed(),
    "of a node": NodeError("eth_call", "insufficient funds", b""),
}


@pytest.mark.parametrize("what", sorted(ERRORS_TO_CARRY))
@pytest.mark.parametrize("carried", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_is_the_same_after_copying_and_pickling(what: str, carried: object) -> None:
    error = ERRORS_TO_CARRY[what]
    assert callable(carried)
    again = carried(error)
    assert type(again) is type(error)
    assert (vars(again), str(again), repr(again)) == (vars(error), str(error), repr(error))


def test_an_answer_of_a_node_is_also_of_the_class_of_its_code() -> None:
    away = NodeError("eth_call", "rate limit exceeded", b"")
    assert isinstance(away, Unavailable)
    poor = NodeError("eth_sendRawTransaction", "insufficient funds for gas", b"")
    assert isinstance(poor, Conflict)
    assert not isinstance(poor, Failure)


def test_people_import_the_classes_from_the_package() -> None:
    assert [kind.__name__ for kind in CLASSES if getattr(insitu, kind.__name__, None) is not kind] == []


def test_the_tree_is_drawn_on_the_first_screen() -> None:
    first_screen = "\n".join(Path(errors.__file__).read_text("utf-8").splitlines()[:20])
    tree = [line.split()[-1] if "──" not in line else line.split("── ")[1].split()[0]
            for line in first_screen.splitlines() if "──" in line]  # fmt: skip
    assert sorted(tree) == sorted(kind.__name__ for kind in CLASSES)
