"""The states of a sentence: each kind of part."""

from collections.abc import Mapping

from insitu.marketplace.samples import SCIENTIST, did
from insitu.marketplace.words.parts import Account, Named, Quoted, Strong

_NAMES = {did(2): "Delay by weather"}

STATES: Mapping[str, Mapping[str, object]] = {
    "an account": {"sentence": (Strong("Only one account"), " may buy: ", Account(SCIENTIST), "."), "names": {}},
    "a known asset": {"sentence": ("No other than ", Named(did(2)), "."), "names": _NAMES},
    "an unknown asset": {"sentence": ("No other than ", Named(did(3)), "."), "names": _NAMES},
    "words of a stranger": {"sentence": ("May be used for: ", Quoted("<b>research</b> \u202e")), "names": {}},
}
