package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.SignedRequest;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.rules.UnsignedDdo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Signs requests to the registry for one account; the gateway sends them, so nothing costs coin. */
final class Registrations {
    /** A signed request as it is sent and as documents have it. */
    record Signed(JsonObject json, SignedRequest request) {}

    private interface Look {
        boolean isDone() throws InterruptedException;
    }

    // Gateways refuse more than 600 seconds, by a clock of their own.
    private static final long VALID = 540;
    // To be sent again: gateways want 15, and a block takes time.
    private static final long LEFT = 30;
    private static final long ASK_AGAIN = 5_000_000_000L;
    private static final String NO_SIGNATURE = "0x" + "00".repeat(65);

    private final Provider provider;

    Registrations(Provider provider) {
        this.provider = provider;
    }

    /** Signs that documents are registered, with the gateway as their provider: once for all of them. */
    Signed sign(List<UnsignedDdo> documents) throws InterruptedException {
        Address gateway = provider.open().account();
        if (provider.chain().code(gateway).length > 0) {
            throw new InsituException(ErrorCode.ProviderIsContract, gateway + " is the account of a contract");
        }
        List<Map<String, ?>> items = new ArrayList<>();
        for (UnsignedDdo document : documents) {
            items.add(Map.of(
                    "seed", document.seed(),
                    "checksum", "0x" + document.checksum(),
                    "providers", List.of(gateway.text()),
                    "url", provider.catalogue().documents()));
        }
        return sign("registrations", Map.of("creator", provider.address().text(), "items", items));
    }

    /** Signs that new versions are registered: once for all of them. */
    Signed signUpdates(List<UnsignedDdo> documents) throws InterruptedException {
        List<Map<String, ?>> items = new ArrayList<>();
        for (UnsignedDdo document : documents) {
            items.add(Map.of(
                    "did",
                    document.did().hex(),
                    "checksum",
                    "0x" + document.checksum(),
                    "url",
                    provider.catalogue().documents(),
                    "version",
                    own(document.did().text()).current().version() + 1));
        }
        return sign("updates", Map.of("owner", provider.address().text(), "items", items));
    }

    /** Hands an asset to another owner: signed, sent by the gateway, and awaited. */
    void transfer(String did, Address owner) throws InterruptedException {
        DidRecord before = own(did);
        String hex = "0x" + did.substring("did:nv:".length());
        Signed signed = sign("transfer", Map.of("did", hex, "newOwner", owner.text(), "changes", before.changes()));
        relay(signed, () -> {
            DidRecord record = provider.chain().record(did);
            if (record.changes() > before.changes() && !record.owner().equals(owner)) {
                throw new InsituException(ErrorCode.ChangesMismatch, "another change of " + did + " came first");
            }
            return record.changes() > before.changes();
        });
    }

    /** Lets the gateway send a request for documents, and returns once the registry has all of it. */
    void send(Signed signed, List<UnsignedDdo> documents) throws InterruptedException {
        relay(signed, () -> areRegistered(documents));
    }

    /** Returns the record of an asset of this account. Throws {@code NotDIDOwner}, {@code AssetNotFound}. */
    DidRecord own(String did) throws InterruptedException {
        DidRecord record = provider.chain().record(did);
        if (!record.owner().equals(provider.address())) {
            String detail = record.owner() + " owns " + did + ", and only its owner can do this";
            throw new InsituException(ErrorCode.NotDIDOwner, detail);
        }
        return record;
    }

    /** Returns whether the registry still takes a request for updates that this account has signed. */
    boolean isSendable(Signed signed) throws InterruptedException {
        Place updates = Place.of(signed.json()).at("updates");
        if (updates.isAbsent()
                || updates.at("deadline").count() < provider.chain().time() + LEFT) {
            return false;
        }
        List<Long> numbers = updates.at("items").list(item -> item.at("version").count());
        for (int at = 0; at < numbers.size(); at++) {
            DidRecord record =
                    provider.chain().record(signed.request().dids().get(at).text());
            boolean isNext = numbers.get(at) == record.current().version() + 1;
            if (!isNext || !record.owner().equals(provider.address())) {
                return false;
            }
        }
        return true;
    }

    private Signed sign(String kind, Map<String, ?> message) throws InterruptedException {
        Deployment contracts = provider.chain().contracts();
        long deadline = provider.chain().time() + VALID;
        JsonObject json = Json.objectOf(Map.of(
                "chainId",
                contracts.chainId(),
                "registry",
                contracts.registry().text(),
                kind,
                Json.objectOf(message).with("deadline", Json.of(deadline))));
        SignedRequest unsigned = SignedRequest.read(json.with("signature", Json.of(NO_SIGNATURE)), "");
        JsonObject signed = json.with("signature", Json.of(provider.sign(unsigned.data())));
        return new Signed(signed, SignedRequest.read(signed, ""));
    }

    private void relay(Signed signed, Look look) throws InterruptedException {
        String kind = signed.json().members().keySet().stream()
                .filter(name -> signed.json().get(name) instanceof JsonObject)
                .findFirst()
                .orElseThrow();
        long deadline = Place.of(signed.json()).at(kind).at("deadline").count();
        Gateway gateway = provider.gateway();
        gateway.ask("/requests", signed.json(), Place::object);
        long asked = System.nanoTime();
        for (Pause pause = new Pause(50, 1000); !look.isDone(); pause.sleep()) {
            if (provider.chain().time() > deadline) {
                String detail = gateway.url() + " did not send the request before its deadline";
                throw new InsituException(ErrorCode.TransactionUnconfirmed, detail);
            }
            if (System.nanoTime() - asked > ASK_AGAIN) {
                asked = System.nanoTime();
                gateway.ask("/requests", signed.json(), Place::object);
            }
        }
    }

    private boolean areRegistered(List<UnsignedDdo> documents) throws InterruptedException {
        for (UnsignedDdo document : documents) {
            DidRecord record = provider.chain().find(document.did().text());
            if (record != null && !record.owner().equals(provider.address())) {
                String detail = document.did() + " is registered, and " + record.owner() + " owns it now";
                throw new InsituException(ErrorCode.DIDExists, detail);
            }
            if (record == null || !record.current().checksum().equals(document.checksum())) {
                return false;
            }
        }
        return true;
    }
}
