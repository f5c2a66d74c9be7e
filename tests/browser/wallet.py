"""A wallet of a browser for tests: pages see EIP-1193 and EIP-6963, and the key and the person who decides are here."""

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.async_api import BrowserContext, Error

from insitu.adapters.keys.dev import dev_signer
from insitu.adapters.keys.signer import load_account
from insitu.domain.canonical import keccak256
from insitu.ports.keys import Signer

ICON = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'><rect width='1' height='1'/></svg>"

REJECTED, UNAUTHORIZED, DISCONNECTED, CHAIN_DISCONNECTED, UNKNOWN_CHAIN = 4001, 4100, 4900, 4901, 4902
"""What providers answer if they do not do what they are asked for (EIP-1193, EIP-3085)."""

# What Python answers comes back as the promise of a page; what Python wants to tell goes to every listener.
_INJECTED = """
(({ binding, info }) => {
  if (window !== window.top) return
  const ask = window[binding]
  const listeners = []
  const provider = {
    async request({ method, params }) {
      const { result, error } = await ask(method, params ?? [])
      if (error) throw Object.assign(new Error(error.message), { code: error.code })
      return result
    },
    on(event, listener) { listeners.push([event, listener]); return provider },
    removeListener(event, listener) {
      const at = listeners.findIndex(([name, known]) => name === event && known === listener)
      if (at >= 0) listeners.splice(at, 1)
      return provider
    },
  }
  Object.defineProperty(window, `${binding}_tell`, {
    value: (event, value) => listeners.filter(([name]) => name === event).forEach(([, listener]) => listener(value)),
  })
  const detail = Object.freeze({ info: Object.freeze(info), provider })
  const announce = () => window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }))
  window.addEventListener('eip6963:requestProvider', announce)
  announce()
})
"""


@dataclass(frozen=True)
class Prompt:
    """One question to the person: the method, what the wallet shows in a word, and all that the page sent."""

    method: str
    shows: str
    parameters: list[Any]


class Wallet:
    """One wallet in all pages where it is installed. It says yes to everything unless it is told otherwise.

    Parameters
    ----------
    node
        Address of the node that answers what the wallet does not know itself: that of the chain, or a gateway's relay.
    chain_id
        The chain of that node.
    account
        Name of a development account, or what signs for one, such as a contract account.
    info
        Members of what it announces (EIP-6963) that differ from the usual ones.
    """

    def __init__(self, node: str, chain_id: int, account: str | Signer = "consumer", **info: str) -> None:
        self.prompts: list[Prompt] = []
        self.chain_id = chain_id
        self.info = {"uuid": str(uuid.uuid4()), "name": "Test wallet", "icon": ICON, "rdns": "wallet.test", **info}
        self._node, self._home = node, chain_id
        self._known = {chain_id}
        self._signer: Signer = dev_signer(account) if isinstance(account, str) else account
        self._connected: set[str] = set()
        self._refusals: list[tuple[str, int]] = []
        self._contexts: list[BrowserContext] = []
        self._binding = f"wallet_{uuid.uuid4().hex}"
        self.lie: Callable[[str, list[Any], Any], Any] = lambda _method, _parameters, answer: answer
        """Changes what its node answered: method, parameters, answer."""
        self._asked, self._free = asyncio.Event(), asyncio.Event()
        self._free.set()

    @property
    def address(self) -> str:
        """The account that it offers."""
        return str(self._signer.address)

    @property
    def counted(self) -> dict[str, int]:
        """How often the person was asked, by what the wallet showed: "connect", "Permit", "Terms", "text" …"""
        return dict(Counter(prompt.shows for prompt in self.prompts))

    def connect(self, address: str) -> None:
        """Be connected to the pages of an origin already, as after an earlier visit."""
        self._connected.add(_origin(address))

    def refuse(self, shows: str = "", code: int = REJECTED) -> None:
        """Say no to the next prompt, or to the next one that shows this."""
        self._refusals.append((shows, code))

    def hold(self) -> None:
        """Leave the next prompts open until `let_go`, as a person does who is away."""
        self._asked.clear()
        self._free.clear()

    def let_go(self) -> None:
        """Decide about the open prompts."""
        self._free.set()

    async def asked(self, seconds: float = 30) -> Prompt:
        """Wait, after `hold`, until a prompt is open, and return it."""
        await asyncio.wait_for(self._asked.wait(), seconds)
        return self.prompts[-1]

    async def change_account(self, account: str) -> None:
        """Offer another development account, and tell the pages."""
        self._signer = dev_signer(account)
        await self._tell("accountsChanged", [self.address.lower()])

    async def forget_pages(self) -> None:
        """Disconnect every page, as a person does in the wallet."""
        self._connected.clear()
        await self._tell("accountsChanged", [])

    async def change_chain(self, chain_id: int) -> None:
        """Go to another chain, and tell the pages."""
        self.chain_id = chain_id
        await self._tell("chainChanged", hex(chain_id))

    async def install(self, context: BrowserContext) -> None:
        """Announce it in every document that this context loads from now on."""
        self._contexts.append(context)
        await context.expose_binding(self._binding, self._answer)
        facts = json.dumps({"binding": self._binding, "info": self.info})
        await context.add_init_script(f"{_INJECTED}({facts})")

    async def _tell(self, event: str, value: Any) -> None:
        for page in [page for context in self._contexts for page in context.pages]:
            with suppress(Error):  # a page that is just loading, or closed
                await page.evaluate(f"([event, value]) => window.{self._binding}_tell?.(event, value)", [event, value])

    async def _answer(self, source: dict[str, Any], method: str, parameters: list[Any]) -> dict[str, Any]:
        try:
            return {"result": await self._do(_origin(source["frame"].url), method, parameters)}
        except _RefusalError as refusal:
            return {"error": {"code": refusal.code, "message": str(refusal)}}

    async def _do(self, origin: str, method: str, parameters: list[Any]) -> Any:
        match method:
            case "eth_chainId":
                return hex(self.chain_id)
            case "eth_accounts":
                return [self.address.lower()] if origin in self._connected else []
            case "eth_requestAccounts":
                if origin not in self._connected:
                    await self._ask(method, "connect", parameters)
                self._connected.add(origin)
                return [self.address.lower()]
            case "personal_sign":
                return await self._sign_text(origin, parameters)
            case "eth_signTypedData_v4":
                return await self._sign_typed_data(origin, parameters)
            case "wallet_switchEthereumChain" | "wallet_addEthereumChain":
                return await self._choose_chain(method, parameters)
        return await self._read(method, parameters)

    async def _ask(self, method: str, shows: str, parameters: list[Any]) -> None:
        self.prompts.append(Prompt(method, shows, parameters))
        self._asked.set()
        await self._free.wait()
        for refusal in self._refusals:
            if refusal[0] in {"", shows}:
                self._refusals.remove(refusal)
                raise _RefusalError(refusal[1], "the person or the wallet did not agree")

    async def _sign_text(self, origin: str, parameters: list[Any]) -> str:
        data, account = parameters
        self._require(origin, account)
        signer = self._signer
        text = bytes.fromhex(data.removeprefix("0x"))
        await self._ask("personal_sign", "text", [text.decode(), account])
        return "0x" + signer.sign_digest(keccak256(b"\x19Ethereum Signed Message:\n%d%b" % (len(text), text))).hex()

    async def _sign_typed_data(self, origin: str, parameters: list[Any]) -> str:
        account, text = parameters
        self._require(origin, account)
        signer, data = self._signer, json.loads(text)
        if int(data["domain"]["chainId"]) != self.chain_id:
            raise _RefusalError(
                -32603, f"the data is for chain {data['domain']['chainId']}, and the wallet is elsewhere"
            )
        await self._ask("eth_signTypedData_v4", data["primaryType"], [account, data])
        return "0x" + signer.sign_digest(_typed_data_digest(data)).hex()

    def _require(self, origin: str, account: str) -> None:
        if origin not in self._connected or account.lower() != self.address.lower():
            raise _RefusalError(UNAUTHORIZED, "this page has no access to that account")

    async def _choose_chain(self, method: str, parameters: list[Any]) -> None:
        wanted = int(parameters[0]["chainId"], 16)
        is_new = method == "wallet_addEthereumChain"
        if not is_new and wanted not in self._known:
            raise _RefusalError(UNKNOWN_CHAIN, "add the chain first")
        await self._ask(method, "add chain" if is_new else "switch chain", parameters)
        self._known.add(wanted)
        await self.change_chain(wanted)

    def forget_chain(self) -> None:
        """Be at Ethereum's own chain, and know no other one."""
        self.chain_id, self._known = 1, {1}

    async def _read(self, method: str, parameters: list[Any]) -> Any:
        if self.chain_id != self._home:
            return "0x"
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        async with httpx.AsyncClient() as node:
            answer = (await node.post(self._node, json=body)).json()
        if "error" in answer:
            raise _RefusalError(answer["error"]["code"], answer["error"]["message"])
        return self.lie(method, parameters, answer["result"])


class _RefusalError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def _origin(address: str) -> str:
    return str(httpx.URL(address).copy_with(raw_path=b"/", fragment=None))


def _typed_data_digest(data: dict[str, Any]) -> bytes:
    load_account()  # it takes back what eth-account does to the process
    from eth_account.messages import encode_typed_data

    message = encode_typed_data(full_message=data)
    return keccak256(b"\x19" + message.version + message.header + message.body)
