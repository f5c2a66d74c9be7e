package insitu.rules;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.Ddo;
import insitu.domain.Did;
import insitu.domain.Signatures;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.json.Json;
import insitu.json.JsonNumber;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A document that is complete except for what proves it.
 *
 * @param did its DID
 * @param seed from which the registry derives the DID, with the creator: 0x and hexadecimal digits
 * @param checksum on-chain checksum of this version, 64 hexadecimal digits
 * @param json the document
 */
public record UnsignedDdo(Did did, String seed, String checksum, JsonObject json) {
    // Members of a proof that prove one version.
    private static final Set<String> PROVING = Set.of("signatureValue", "request");

    /**
     * Returns the checksums behind the DID that services will have: index, SHA3-256 of {@code main}. They come first,
     * because a list of files is sealed for a DID; {@link Did#derive} gives that.
     *
     * @throws InsituException {@code InvalidDocument} if a service has no index of its own, or no {@code main}
     */
    public static Map<String, String> checksumsOf(List<JsonObject> services) {
        Map<String, String> checksums = new LinkedHashMap<>();
        for (int position = 0; position < services.size(); position++) {
            JsonObject service = services.get(position);
            if (!(service.get("index") instanceof JsonNumber index)
                    || !index.isInteger()
                    || !(service.get("attributes") instanceof JsonObject attributes)
                    || !(attributes.get("main") instanceof JsonObject main)
                    || checksums.put(Long.toString((long) index.value()), Hashes.checksum(main)) != null) {
                String detail = "a service needs an index of its own, and main";
                throw new InsituException(ErrorCode.InvalidDocument, detail, "/service/" + position);
            }
        }
        return checksums;
    }

    /**
     * Puts a document together.
     *
     * @param services entries of {@code service[]}; <code>{did}</code> in an endpoint is replaced by the DID
     * @param creator who signs and registers
     * @param created the current time, without fractions of a second
     * @param keyOwner owner of the published key
     * @param sealed the sealed list of files, if they have urls
     * @throws InsituException {@code InvalidDocument}
     */
    public static UnsignedDdo assemble(
            List<JsonObject> services, Address creator, String created, Address keyOwner, @Nullable String sealed) {
        Map<String, String> checksums = checksumsOf(services);
        String did = Did.derive(checksums, creator).text();
        List<JsonObject> entries = new ArrayList<>();
        for (JsonObject service : services) {
            String endpoint = service.get("serviceEndpoint") instanceof JsonString text ? text.value() : "";
            JsonObject entry = service.with("serviceEndpoint", Json.of(endpoint.replace("{did}", did)));
            boolean isSealed = sealed != null && new JsonString("metadata").equals(entry.get("type"));
            if (isSealed && entry.get("attributes") instanceof JsonObject attributes) {
                entry = entry.with("attributes", attributes.with("encryptedFiles", Json.of(sealed)));
            }
            entries.add(entry);
        }
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("@context", "https://w3id.org/did/v1");
        document.put("id", did);
        document.put("created", created);
        document.put("publicKey", List.of(Map.of("id", did, "type", "EthereumECDSAKey", "owner", keyOwner.text())));
        document.put("authentication", List.of(Map.of("type", "EthereumECDSAAuthentication", "publicKey", did)));
        document.put("service", entries);
        document.put(
                "proof",
                Map.of(
                        "type",
                        "DDOIntegritySignature",
                        "created",
                        created,
                        "creator",
                        creator.text(),
                        "checksum",
                        checksums));
        return of(new Did(did), checksums, Json.objectOf(document));
    }

    /**
     * Makes a new version of a published document. The DID stays, and the on-chain checksum changes.
     *
     * @param services the new entries of {@code service[]}
     * @param signer the on-chain owner, who signs this version; {@code proof.creator} stays the creator of the DID
     * @param updated the current time, without fractions of a second
     * @throws InsituException {@code InvalidDocument}
     */
    public static UnsignedDdo reviseDdo(Ddo ddo, List<JsonObject> services, Address signer, String updated) {
        if (ddo.proof() == null || ddo.proof().checksum() == null) {
            throw new InsituException(ErrorCode.InvalidDocument, "the document has no proof.checksum", "/proof");
        }
        Map<String, String> checksums = checksumsOf(services);
        JsonObject proof = proofOf(ddo)
                .without(Set.of("origin"))
                .with("created", Json.of(updated))
                .with("signer", Json.of(signer.text()))
                .with("checksum", Json.of(checksums));
        if (!checksums.equals(ddo.origin())) {
            proof = proof.with("origin", Json.of(Map.of("checksum", ddo.origin())));
        }
        JsonObject json = ddo.json()
                .with("service", Json.of(services))
                .with("updated", Json.of(updated))
                .with("proof", proof);
        return of(new Did(ddo.id()), ddo.origin(), json);
    }

    /** Returns a published document without what proves it, so that it can be proved again. */
    public static UnsignedDdo unsignedAgain(Ddo ddo) {
        return of(new Did(ddo.id()), ddo.origin(), ddo.json().with("proof", proofOf(ddo)));
    }

    private static JsonObject proofOf(Ddo ddo) {
        return ((JsonObject) Objects.requireNonNull(ddo.json().get("proof"))).without(PROVING);
    }

    private static UnsignedDdo of(Did did, Map<String, String> origin, JsonObject json) {
        return new UnsignedDdo(did, Bytes.hex(Did.seed(origin)), Ddo.read(json).onchainChecksum(), json);
    }

    /** Returns the document with the signed request that registers this version as its proof. */
    public JsonObject provedBy(JsonObject request) {
        JsonValue proof = Objects.requireNonNull(json.get("proof"));
        return json.with("proof", ((JsonObject) proof).with("request", request));
    }

    /** Returns whether this account signed a document, or a request that registers it, with its key. */
    public static boolean isSignedBy(Ddo ddo, Address account) {
        try {
            Ddo.Signed signed = ddo.signed();
            return Signatures.recover(signed.digest(), signed.signature()).equals(account);
        } catch (InsituException notSigned) {
            return false;
        }
    }
}
