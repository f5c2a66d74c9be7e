"""What is caught is caught by class; a code is compared only where exactly that one is meant, and here is why.

Whoever catches a class catches every code of it, also those to come. That is right for a renewed token, and wrong for a
follower that would wait forever for what never answers.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache

from tests.architecture.sources import PACKAGE, modules

Site = tuple[str, str]
"""A module below `insitu`, and the comparison as it is written."""

AWAY = "waits for the node only; another failure would be waited for forever, or reported as the node's"
ELSEWHERE = "other codes of the class say something else, which goes on to the caller as it is"

EXACTLY: dict[Site, str] = {
    ("adapters/chain/deploy.py", "error.code in _STILL_OPEN"): "only then can the noted transaction still be mined",
    ("adapters/chain/embedded.py", "error.code not in {'ContractMismatch', 'TemplateNotApproved'}"): (
        "only these say that the chain has other contracts; on anything else they are not deployed again"
    ),
    ("adapters/chain/embedded.py", "error.code != 'ContractMismatch'"): (
        "only then is the journal of other contracts; after any other failure it resumes the deployment"
    ),
    ("adapters/chain/follower.py", "error.code != 'ChainUnavailable'"): AWAY,
    ("adapters/peers/operator.py", "error.code != 'PeerUnavailable'"): (
        "the stream is resumed; what a running operator says, as of its object store, goes on to the reader"
    ),
    ("adapters/runtime/kubernetes/runtime.py", "error.code not in ('ConfigurationFailed', 'ImageUnavailable')"): (
        "these end the step with a reason; any other failure is tried again"
    ),
    ("adapters/sources/object_stores.py", "error.code not in {'ObjectStoreRefused', 'ObjectStoreUnavailable'}"): (
        "a missing extra is a Failure, too, and not the data set's store"
    ),
    ("cli/commands/demo.py", "error.code != 'AlreadyRunning'"): "only another demo makes this one take another folder",
    ("cli/commands/doctor.py", "error.code == 'ChainUnavailable'"): AWAY,
    ("cli/session.py", "error.code not in {'ChainUnavailable', 'ContractMismatch', 'DeploymentsMissing'}"): (
        "only without a chain are amounts shown without their token"
    ),
    ("domain/compute_rules.py", "error.code != 'TimelockNotSupported'"): "only this one is reported already",
    ("gateway/agreements/assessor.py", "error.code in ('RuntimeUnavailable', 'IsolationNotEnforced')"): (
        "an answer of the operator, unlike every other Unavailable, which is silence"
    ),
    ("gateway/executions/executor.py", "error.code in ('ChecksumMismatch', 'AssetNotFound')"): ELSEWHERE,
    ("gateway/executions/stopper.py", "error.code != 'ExecutionUnknown'"): (
        "only what the operator never had is ended here; a wrong address of the operator is NotFound, too"
    ),
    ("gateway/executions/streamer.py", "error.code != 'ExecutionUnknown'"): ELSEWHERE,
    ("gateway/executions/streamer.py", "error.code not in {'LogsHidden', 'LogExpired'}"): (
        "only these say that there is no log to show; the other codes of their classes end the stream"
    ),
    ("gateway/files/file_server.py", "error.code == 'NotFound'"): ELSEWHERE,
    ("gateway/files/source_opener.py", "error.code != 'ConfigurationFailed'"): ELSEWHERE,
    ("gateway/files/upload_receiver.py", "error.code == 'BodyTooLarge'"): ELSEWHERE,
    ("gateway/outbox/dispatcher.py", "error.code == 'ExecutionAlreadySettled'"): (
        "every other Conflict means that the settlement was refused"
    ),
    ("gateway/outbox/dispatcher.py", "error.code == 'InsufficientFunds'"): (
        "a consumer without tokens; other refusals of a purchase can pass"
    ),
    ("gateway/outbox/refusal_judge.py", "error.code != 'TransactionFailed'"): (
        "it was mined and its cause is unknown; other refusals have a cause"
    ),
    ("gateway/outbox/transaction_sender.py", "error.code != 'InsufficientFunds'"): (
        "the provider's account is named, which the error of the node does not do"
    ),
    ("gateway/results/closer.py", "error.code != 'ConditionNotInState'"): (
        "the chain has the end of the agreement already; any other Conflict is one of the terms"
    ),
    ("gateway/results/closer.py", "error.code not in ('FreeGasExhausted', 'InsufficientFunds')"): (
        "only then does the consumer get the settlement to send"
    ),
    ("gateway/results/finisher.py", "error.code not in ('PublishingFailed', 'OutputRejected')"): (
        "these end the execution; a store that is away is asked again"
    ),
    ("pods/configure.py", "error.code == 'ConfigurationFailed'"): "it has its sentence already, others get one",
    ("sdk/agreements.py", "error.code != 'AgreementExists'"): "the one Conflict that means it was bought before",
    ("sdk/http.py", "error.code != 'AssetNotFound'"): (
        "a wrong address of a catalogue or gateway is NotFound as well, and says nothing about the asset"
    ),
    ("sdk/metadata.py", "error.code != 'NotFound'"): "what a catalogue says of the DID itself keeps its context",
    (
        "sdk/registrations.py",
        "error.code != 'InsufficientFunds'",
    ): "want of coin, which a relay helps against; nothing else",
    ("sdk/publishing.py", "error.code != 'DIDExists'"): "the one Conflict that means it is registered already",
    (
        "sdk/purchases.py",
        "error.code != 'InsufficientFunds'",
    ): "want of coin, which a relay helps against; nothing else",
    ("sdk/purchases.py", "error.code != 'RelayOff'"): "its sentence also says that the account cannot pay for gas",
    ("sdk/purchases.py", "error.code not in PASSING"): (
        "a relay whose budget is used up is Unavailable as well, and ends the waiting"
    ),
    ("sdk/purchases.py", "error.code not in REFUSED_PERMIT"): "only a used nonce is helped by signing again",
    ("sdk/receiving.py", "error.code != 'PeerUnavailable'"): "only a broken connection is gone on with",
    ("sdk/receiving.py", "error.code == 'NotFound'"): (
        "a gateway without archives; a result that is gone is NotFound as well, and is said"
    ),
    ("stack/earlier.py", "error.code != 'DeadlinePassed'"): "only then is a refund possible, and nothing else",
    ("stack/parts.py", "error.code == 'KeyNotFound'"): "a key that is there and cannot be opened is not replaced",
}
"""Comparisons that stay, each with its reason."""


def errors_of(tree: ast.AST) -> set[str]:
    """The names under which errors are at hand: what is caught, and parameters that are errors."""
    caught = {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name}
    given = {
        node.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.arg) and node.annotation is not None and "Error" in ast.unparse(node.annotation)
    }
    return caught | given


def comparisons(tree: ast.AST) -> Iterator[str]:
    names = errors_of(tree)

    def is_code(node: ast.expr) -> bool:
        return (
            isinstance(node, ast.Attribute)
            and node.attr == "code"
            and isinstance(node.value, ast.Name)
            and node.value.id in names
        )

    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(map(is_code, [node.left, *node.comparators])):
            yield ast.unparse(node)
        elif isinstance(node, ast.Match) and is_code(node.subject):
            yield ast.unparse(node.subject)


@cache
def found() -> Counter[Site]:
    return Counter(
        (str(path.relative_to(PACKAGE)), comparison)
        for path in modules()
        for comparison in comparisons(ast.parse(path.read_text("utf-8")))
    )


def test_a_code_is_compared_only_where_exactly_one_is_meant() -> None:
    assert not [site for site in found() if site not in EXACTLY], "catch a class, or say why it is this code alone"


def test_every_comparison_that_is_allowed_is_there() -> None:
    assert not [site for site in EXACTLY if site not in found()], "it is gone: take it off the list"
