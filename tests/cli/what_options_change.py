"""What each argument and option of the command line changes (ADR 0108); names are those of click's parameters.

A test compares this table with the commands and drives each row.
"""

from collections.abc import Mapping

from tests.sdk.what_parameters_change import FILE, REQUEST, WAITING

SCREEN = "screen"
"""What is printed, or asked."""

COMMON = {REQUEST: "home flags url account rpc", SCREEN: "as_json yes"}
"""Options of several commands: whose keys, settings, provider and node; what the screen shows, whether it asks."""

_IDS = {REQUEST: "ids"}

CHANGES: Mapping[str, Mapping[str, str]] = {
    "open": {SCREEN: "did"},
    "search": {REQUEST: "words kind tag author owner service max_price sort page limit"},
    "show": {REQUEST: "did checksum versions"},
    "check": {REQUEST: "what data image entrypoint server service_index"},
    "run": {
        REQUEST: "words data agreement image entrypoint server max_price relay offer",
        FILE: "output force",
        WAITING: "no_follow",
    },
    "buy": {REQUEST: "workflow service_index max_price relay offer", WAITING: "no_wait"},
    "agreements": {REQUEST: "agreement"},
    "executions": {REQUEST: "agreement"},
    "status": _IDS | {WAITING: "follow"},
    "logs": _IDS | {WAITING: "no_follow"},
    "stop": _IDS,
    "result": _IDS | {FILE: "output force"},
    "receipt": {REQUEST: "ids opening", FILE: "output"},
    "verify": {REQUEST: "on_chain", SCREEN: "file provider files opening"},
    "release": {REQUEST: "source"},
    "close": {REQUEST: "agreement"},
    "refund": {REQUEST: "agreement"},
    "validate": {SCREEN: "file without_compute"},
    "publish": {
        REQUEST: "files name algorithm document price allow_any allowed publishers images timeout logs max_executions "
        "consumers use revisions parameters failures data "
        "max_output max_files max_log types entrypoint description author license_ tags categories without_compute",
    },
    "update": {
        REQUEST: "did files source name price allow_any allowed publishers images timeout logs max_executions "
        "consumers use revisions parameters failures data "
        "max_output max_files max_log types entrypoint description author license_ tags categories",
    },
    "list": {REQUEST: "did"},
    "unlist": {REQUEST: "did"},
    "hide": {REQUEST: "did reason"},
    "unhide": {REQUEST: "did"},
    "feature": {REQUEST: "did reason"},
    "unfeature": {REQUEST: "did"},
    "curated": {REQUEST: "what page"},
    "pause": {REQUEST: "did now stop_running"},
    "resume": {REQUEST: "did"},
    "transfer": {REQUEST: "did recipient"},
    "up": {REQUEST: "data", SCREEN: "verbose"},
    "marketplace verify": {REQUEST: "address"},
    "serve": {REQUEST: "actors", SCREEN: "verbose"},
    "pod": {REQUEST: "kind step workspace ticket consoles", FILE: "result"},
    "image build": {FILE: "packages name tag python site_packages java"},
    "image import": {FILE: "path name tag"},
    "image pull": {REQUEST: "reference insecure"},
    "image rm": {FILE: "references"},
    "image verify": {SCREEN: "references"},
    "chain deploy": {REQUEST: "token owner key_file"},
    "chain accept-ownership": {REQUEST: "key_file"},
    "chain fund": {REQUEST: "accounts amount key_file"},
    "doctor": {SCREEN: "role"},
    "demo": {FILE: "output clean", SCREEN: "show", WAITING: "stay"},
    "keys create": {FILE: "name password_file"},
    "keys import": {FILE: "name file password_file"},
    "did resolve": {REQUEST: "did"},
    "did verify": {SCREEN: "document main"},
}
"""Command → aspect → its own arguments and options that change it."""
